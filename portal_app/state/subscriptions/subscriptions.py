"""The list of a customer's services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import reflex as rx

from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription, grouped
from portal_app.language import path_for
from portal_app.language.format import day
from portal_app.state.catalog.prices import taxed
from portal_app.state.shell.page_state import PageState
from portal_app.state.subscriptions.cancellation_words import standing_of
from portal_app.state.subscriptions.standing import cycle_words
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class ServiceRow:
    """One service in a list, below its line where it is an add-on; the price with tax."""

    name: str
    href: str
    word: str
    tone: str
    price: str
    period: str
    next_due: str
    is_add_on: bool = False


def service_rows(rows: Sequence[Subscription], requests: Mapping[int, CancellationRequest]) -> list[ServiceRow]:
    """Return the services among rows as lists show them: each line with its add-ons below it."""
    found: list[ServiceRow] = []
    for group in grouped(rows):
        found.append(_row(group.line, requests))
        found += [replace(_row(add_on, requests), is_add_on=True) for add_on in group.add_ons]
    return found


def _row(service: Subscription, requests: Mapping[int, CancellationRequest]) -> ServiceRow:
    standing = standing_of(service, requests)
    return ServiceRow(
        name=service.name,
        href=path_for(f"/subscriptions/{service.id}"),
        word=standing.word,
        tone=standing.tone,
        price=str(taxed(service.recurring)),
        period=cycle_words(service.cycle),
        next_due=day(service.next_due_on) if service.cycle.is_recurring else "–",
    )


class SubscriptionsPage(PageState, rx.State):
    """All services, newest line first."""

    topics: ClassVar[frozenset[str]] = frozenset({"orders", "billing", "account"})

    rows: list[ServiceRow] = []

    async def _read_page(self) -> None:
        customer = await self._customer()
        services = await portal().subscriptions.services.subscriptions_for(customer)
        requests = await portal().subscriptions.cancellations.requests_for(customer)
        self._note_saved(services.as_of)
        self.rows = service_rows(services.rows, requests)
