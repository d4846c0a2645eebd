"""Small vendors in memory, for services that only read from them."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from portal_app.domain.billing.invoice import Invoice, PaymentMethod
from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.internet.eligibility import AddressCheck, CheckRequest
from portal_app.domain.money import Money
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.kyc_document import IdentityCheck
from portal_app.domain.profile.profile import BillingAddress, PersonalData, ProfileView
from portal_app.domain.subscriptions.service_kind import ProductClass
from portal_app.domain.subscriptions.subscription import Services, Subscription
from tests.support.builders import catalog_item

PLAN = catalog_item()
CARD = PaymentMethod(1, "card", "Visa", "4242", "12/30", "stripe")


@dataclass
class FakeCatalog:
    """A catalogue."""

    stock: list[CatalogItem] = field(default_factory=lambda: [PLAN])
    is_slow: asyncio.Event | None = None

    async def items(self) -> list[CatalogItem]:
        if self.is_slow is not None:
            await self.is_slow.wait()
        return self.stock


@dataclass
class FakeWhmcs:
    """The part of a billing system that is only read."""

    cards: list[PaymentMethod] = field(default_factory=lambda: [CARD])
    bills: dict[int, Invoice] = field(default_factory=dict)
    is_away: bool = False
    is_slow: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    services: list[Subscription] = field(default_factory=list)
    address: Address | None = None
    prices: dict[int, dict[str, Money]] = field(default_factory=lambda: {1: {"monthly": PLAN.price}})

    async def check_for(self, customer: Customer) -> IdentityCheck:
        return IdentityCheck("submitted")

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        await self._answer("methods")
        return self.cards

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        await self._answer("prices")
        return self.prices

    async def subscriptions_for(self, customer: Customer) -> Services:
        return Services(self.services)

    async def profile_for(self, customer: Customer) -> ProfileView:
        return ProfileView(await self.person(customer.whmcs_client_id), "en", False, "")

    async def invoices(self, client_id: int) -> list[Invoice]:
        found = [listed(bill) for bill in self.bills.values() if bill.client_id == client_id]
        await self._answer("invoices")
        return found

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        bill = self.bills.get(invoice_id)
        await self._answer("invoice")
        if bill is None or bill.client_id != client_id:
            raise NotFound
        return bill

    async def subscriptions(self, client_id: int) -> list[Subscription]:
        found = [one for one in self.services if one.client_id == client_id]
        await self._answer("services")
        return found

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        await self._answer("default")

    async def person(self, client_id: int) -> PersonalData:
        await self._answer("person")
        return PersonalData("Aiko", "Tanaka", "", "", False, BillingAddress("", "", "", "", ""), address=self.address)

    async def sign_on_link(self, client_id: int, path: str) -> str:
        await self._answer("link")
        self.links.append(path)
        return f"https://billing.example.jp/{path}"

    async def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.is_slow is not None:
            await self.is_slow.wait()
        if self.is_away:
            raise ExternalUnavailable("away", vendor="whmcs")


@dataclass
class Agents:
    """The agents who check addresses, and the account they write into."""

    account: AddressCheck = field(default_factory=lambda: AddressCheck("001", "not_requested", datetime.now(UTC)))
    requests: list[CheckRequest] = field(default_factory=list)
    is_away: bool = False

    async def check_of(self, sf_account_id: str) -> AddressCheck:
        if self.is_away:
            raise ExternalUnavailable("away", vendor="salesforce")
        return self.account

    async def checks_of(self, sf_account_ids: list[str]) -> list[AddressCheck]:
        return [self.account] if self.account.account_id in sf_account_ids else []

    async def request(self, customer: Customer, request: CheckRequest) -> None:
        await self.check_of(customer.sf_account_id)
        self.requests.append(request)
        self.write(status="pending", requested_at=request.requested_at)

    def write(self, **changes: Any) -> None:
        """Change the account, at a time of its own."""
        at = self.account.changed_at + timedelta(seconds=1)
        self.account = replace(self.account, **changes, changed_at=at)

    def answer(self, *offers: str) -> None:
        """Store what is available in the building."""
        status = "eligible" if offers else "ineligible"
        self.write(status=status, offers=offers, note="Found out.", checked_at=datetime.now(UTC))


async def no_products() -> dict[int, ProductClass]:
    """Return what an empty catalogue says of WHMCS's products."""
    return {}


def listed(bill: Invoice) -> Invoice:
    """Return an invoice as a list shows it: without lines, payments and balance."""
    return replace(bill, lines=(), payments=(), balance=None)
