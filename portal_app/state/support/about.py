"""Cases about one thing, for the page of that thing."""

from dataclasses import dataclass

from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About, AboutKind, SupportCase
from portal_app.language import path_for
from portal_app.state.support.words import turn_of
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class AboutCaseRow:
    """One case about the thing that a page shows."""

    subject: str
    href: str
    word: str
    tone: str


async def cases_about(customer: Customer, kind: AboutKind, number: object) -> list[AboutCaseRow]:
    """Return the known cases about an invoice, order or service; a service's line counts as the service."""
    kinds: tuple[AboutKind, ...] = ("service", "line") if kind == "service" else (kind,)
    found = await portal().support.cases.about(customer, *(About(each, str(number)) for each in kinds))
    return [_row(case) for case in found]


def ask_path(kind: AboutKind, number: object) -> str:
    """Return the address of a new question about a thing."""
    return path_for(f"/support/new?about={About(kind, str(number))}")


def _row(case: SupportCase) -> AboutCaseRow:
    turn = turn_of(case)
    return AboutCaseRow(case.subject, path_for(f"/support/cases/{case.id}"), turn.word, turn.tone)
