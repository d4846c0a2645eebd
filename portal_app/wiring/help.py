"""Builds the services for help, the contact form and the status page."""

from dataclasses import dataclass

from portal_app.services.help.contact import ContactForm
from portal_app.services.help.help import Help
from portal_app.services.identity.context import ServiceContext
from portal_app.services.status.announcements import Announcements
from portal_app.services.status.parts import Parts
from portal_app.services.status.publishing import Publishing
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class HelpServices:
    """Articles and their search, and the contact form."""

    help: Help
    contact: ContactForm


@dataclass(frozen=True, slots=True)
class StatusServices:
    """Announcements and parts are for pages, `publishing` is used by the worker and operators."""

    announcements: Announcements
    parts: Parts
    publishing: Publishing


def build_help(base: Base, context: ServiceContext) -> HelpServices:
    """Build the services for help."""
    return HelpServices(Help(base.settings, base.database), ContactForm(context, base.vendors.cases))


def build_status(base: Base) -> StatusServices:
    """Build the services for the status page."""
    return StatusServices(
        announcements=Announcements(base.database, base.redis),
        parts=Parts(base.settings, base.database, base.vendors.breaker_states),
        publishing=Publishing(base.database, base.queue, base.email_outbox, live=base.live),
    )
