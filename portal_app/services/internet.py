"""Everything about address checks, joined."""

from dataclasses import dataclass

from portal_app.domain.internet_ports import InternetDesk
from portal_app.infra.live import LiveUpdates
from portal_app.services.address_answers import AddressAnswers
from portal_app.services.address_checks import AddressChecks
from portal_app.services.identity import IdentityBase
from portal_app.services.profiles import Profiles


@dataclass(frozen=True, slots=True)
class Internet:
    """The customer's side of address checks, and the worker's."""

    checks: AddressChecks
    answers: AddressAnswers


def join_internet(base: IdentityBase, desk: InternetDesk, *, profiles: Profiles, live: LiveUpdates) -> Internet:
    """Join both sides over what every service stands on, and the desk in Salesforce."""
    return Internet(
        AddressChecks(base, desk, profiles, live),
        AddressAnswers(base.database, desk, notifications=base.notifications, live=live),
    )
