"""What the customers of a soak do: hand in documents, have addresses checked, order, and bring what is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import httpx
import psycopg
from redis.exceptions import RedisError

from benchmarks.soak.customers import Customer, Wanted
from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import ExternalError, StillRunning
from tests.support.clients.kyc_customer import hand_in
from tests.support.clients.placing import place_order
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.values.documents import picture

Value = TypeVar("Value")
# What a person meets on a bad day, and presses the button again. A vendor's error page is no JSON.
BAD_DAY = (ExternalError, StillRunning, httpx.HTTPError, psycopg.Error, RedisError, ValueError)


@dataclass
class Case:
    """One order of the soak: whose it is, and how far people are with it."""

    wanted: Wanted
    customer: Customer
    buyer: Buyer
    order_id: UUID | None = None
    sf_order_id: str = ""
    may_be_decided: bool = False
    is_decided: bool = False


@dataclass
class Book:
    """Every case there is, by the id that is known of it."""

    cases: list[Case] = field(default_factory=list)

    def find(self, order_id: UUID, sf_order_id: str) -> Case | None:
        """Return the case of a row of ours; one taken by telephone is known by its Salesforce id at first."""
        for case in self.cases:
            if case.order_id == order_id or (sf_order_id and case.sf_order_id == sf_order_id):
                case.order_id = order_id
                return case
        return None


async def pressed(call: Callable[[], Awaitable[Value]]) -> Value:
    """Press a button until it works, as a person does."""
    while True:
        try:
            return await call()
        except BAD_DAY:
            await asyncio.sleep(0.5)


async def comes_true(question: Callable[[], Awaitable[bool]]) -> None:
    """Look now and then until it is so."""
    while not await pressed(question):
        await asyncio.sleep(0.3)


async def live(driver: PortalDriver, book: Book, customer: Customer, buyer: Buyer) -> None:
    """Do everything one customer does."""
    user_id = buyer.customer.user_id
    if customer.identity in ("asked", "never"):
        content = picture(colour=user_id.int % 0xFFFFFF)
        await pressed(lambda: hand_in(driver.web, buyer.customer, content))
    elif customer.identity == "early":
        await pressed(lambda: driver.decide_identity(buyer))
    if customer.has_fibre:
        await pressed(lambda: driver.web.internet.checks.request(buyer.customer))
        query = "SELECT count(*) FROM internet_eligibility WHERE user_id = %s AND status = 'eligible'"
        await comes_true(lambda: driver.value(query, user_id))
    cases = [Case(wanted, customer, buyer) for wanted in customer.wants]
    for number, case in enumerate(cases):
        await _order(driver, book, case, key=f"soak-{user_id}-{number}")
    if customer.card != "early":
        await pressed(lambda: driver.remove_cards(buyer))
    for case in cases:
        case.may_be_decided = True


async def _order(driver: PortalDriver, book: Book, case: Case, *, key: str) -> None:
    wanted, buyer = case.wanted, case.buyer
    if wanted.fields is not None:
        case.sf_order_id = await pressed(
            lambda: driver.order_at_salesforce(buyer, sku=wanted.sku, **wanted.fields or {})
        )
        book.cases.append(case)
        return
    wish = OrderRequest(wanted.sku, wanted.answers, has_accepted_terms=True)
    placed = await pressed(lambda: place_order(driver.web, buyer.customer, wish, key=key, recipient=buyer.email))
    case.order_id = placed.id
    book.cases.append(case)
