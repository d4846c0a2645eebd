"""Builds the services for support cases."""

from dataclasses import dataclass

from portal_app.services.billing.invoices import Billing
from portal_app.services.identity.context import ServiceContext
from portal_app.services.orders.orders import Orders
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.services.support.about import AboutFacts
from portal_app.services.support.case_changes import CaseChanges
from portal_app.services.support.case_files import CaseFiles
from portal_app.services.support.cases import SupportCases
from portal_app.services.support.conversation import Conversation
from portal_app.services.support.delivery import SupportDelivery
from portal_app.wiring.base import Base
from portal_app.wiring.uploads import UploadServices


@dataclass(frozen=True, slots=True)
class SupportServices:
    """Cases, conversation and `about` are for customers, `delivery` and `changes` are used by the worker."""

    cases: SupportCases
    files: CaseFiles
    conversation: Conversation
    about: AboutFacts
    delivery: SupportDelivery
    changes: CaseChanges


def build_about(invoices: Billing, orders: Orders, services: Subscriptions, lines: LineStatus) -> AboutFacts:
    """Build what collects the facts that a case is about."""
    return AboutFacts(invoices=invoices, orders=orders, services=services, lines=lines)


def build_support(
    base: Base, context: ServiceContext, *, about: AboutFacts, uploads: UploadServices
) -> SupportServices:
    """Build the services over Salesforce's cases."""
    gateway = base.vendors.cases
    cases = SupportCases(base.settings, base.database, gateway, reads=base.reads, live=base.live)
    return SupportServices(
        cases=cases,
        files=CaseFiles(context, base.vendors.files),
        conversation=Conversation(context, base.live),
        about=about,
        delivery=SupportDelivery(
            base.settings,
            base.database,
            gateway,
            queue=base.queue,
            cases=cases,
            files=uploads.handing_over,
            live=base.live,
        ),
        changes=CaseChanges(
            base.database,
            gateway,
            base.queue,
            cases=cases,
            email_outbox=base.email_outbox,
            live=base.live,
            reply_to=base.settings.portal_support_reply_to,
        ),
    )
