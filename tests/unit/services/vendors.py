"""Small vendors in memory, for services that only ask them something."""

from dataclasses import dataclass, field

from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.invoice import Invoice, PaymentMethod
from portal_app.domain.money import Money
from portal_app.domain.plan import CatalogItem

PLAN = CatalogItem(
    sku="VPN-1",
    name="VPN Tokyo",
    category="vpn",
    item_class="service",
    cycle="monthly",
    price=Money(980),
    product_id="p1",
    pricebook_entry_id="e1",
    whmcs_product_id=1,
    choosable=True,
    orderable=True,
    auto_add=False,
    order=1,
)
CARD = PaymentMethod(1, "card", "Visa", "4242", "12/30", "stripe")


@dataclass
class Shelf:
    """A catalogue."""

    stock: list[CatalogItem] = field(default_factory=lambda: [PLAN])

    async def items(self) -> list[CatalogItem]:
        return self.stock


@dataclass
class Till:
    """The part of a billing system that is only read."""

    cards: list[PaymentMethod] = field(default_factory=lambda: [CARD])
    bills: dict[int, Invoice] = field(default_factory=dict)
    is_away: bool = False
    links: list[str] = field(default_factory=list)
    prices: dict[int, dict[str, Money]] = field(default_factory=lambda: {1: {"monthly": PLAN.price}})

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        self._answer()
        return self.cards

    async def product_prices(self) -> dict[int, dict[str, Money]]:
        self._answer()
        return self.prices

    async def invoices(self, client_id: int) -> list[Invoice]:
        self._answer()
        return [bill for bill in self.bills.values() if bill.client_id == client_id]

    async def invoice(self, client_id: int, invoice_id: int) -> Invoice:
        self._answer()
        bill = self.bills.get(invoice_id)
        if bill is None or bill.client_id != client_id:
            raise NotFound
        return bill

    async def sign_on_link(self, client_id: int, path: str) -> str:
        self._answer()
        self.links.append(path)
        return f"https://billing.example.jp/{path}"

    def _answer(self) -> None:
        if self.is_away:
            raise ExternalUnavailable("away", vendor="whmcs")


class Strangers:
    """Vendors that know nobody."""

    async def find(self, email: str) -> None:
        return None

    async def find_client(self, email: str) -> None:
        return None

    async def find_person(self, email: str) -> None:
        return None
