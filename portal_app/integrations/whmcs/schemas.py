"""WHMCS's bodies as domain objects. What we do not need, secrets above all, is never read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import cast, get_args
from zoneinfo import ZoneInfo

from portal_app.domain.billing.invoice import (
    CreditEntry,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Payment,
    PaymentMethod,
    Tax,
    Transaction,
)
from portal_app.domain.money import Money
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.subscriptions.billing_cycle import RECURRING, BillingCycle
from portal_app.domain.subscriptions.subscription import Cancellation, Subscription, SubscriptionStatus
from portal_app.integrations.whmcs.fields import (
    Row,
    day,
    exact_money,
    moment,
    money,
    names_id,
    number,
    number_or_none,
    numbers,
    rows,
    text,
    truth,
)


def client_of(body: Row, *, number_field: int, currency: str = "JPY") -> BillingClient:
    """Read GetClientsDetails: `client` first, then its deprecated copy at the root."""
    inner = body.get("client")
    row: Row = inner if isinstance(inner, dict) else body
    number_row = next((field for field in rows(row, "customfields") if names_id(field, "id", number_field)), {})
    return BillingClient(
        id=number(row, "id" if "id" in row else "userid"),
        email=text(row, "email"),
        first_name=text(row, "firstname"),
        last_name=text(row, "lastname"),
        phone=text(row, "phonenumber"),
        status=text(row, "status"),
        customer_number=text(number_row, "value"),
        credit=money(row, "credit", text(row, "currency_code") or currency),
    )


def invoice_of(row: Row, *, currency: str, zone: ZoneInfo) -> Invoice:
    """Read a row of GetInvoices or the body of GetInvoice; lists know no balance, lines or payments."""
    currency = text(row, "currencycode") or currency
    return Invoice(
        id=number(row, "invoiceid" if "invoiceid" in row else "id"),
        number=text(row, "invoicenum"),
        client_id=number(row, "userid"),
        status=_invoice_status(text(row, "status")),
        issued_on=day(row, "date"),
        due_on=day(row, "duedate"),
        paid_at=moment(row, "datepaid", zone),
        subtotal=money(row, "subtotal", currency),
        tax=money(row, "tax", currency) + money(row, "tax2", currency),
        credit=money(row, "credit", currency),
        total=money(row, "total", currency),
        balance=money(row, "balance", currency) if "balance" in row else None,
        lines=tuple(_line(item, currency) for item in rows(row, "items", "item")),
        payments=tuple(_payment(item, currency, zone) for item in rows(row, "transactions", "transaction")),
        taxes=_taxes(row, currency),
        gateway=text(row, "paymentmethod"),
        updated_at=moment(row, "updated_at", zone),
    )


def transaction_of(row: Row, *, currency: str, zone: ZoneInfo) -> Transaction:
    """Read a row of GetTransactions; its currency id is left out, because clients of the portal have one currency."""
    return Transaction(
        id=number(row, "id"),
        client_id=number(row, "userid"),
        invoice_id=number_or_none(row, "invoiceid"),
        at=moment(row, "date", zone),
        gateway=text(row, "gateway"),
        description=text(row, "description"),
        amount=money(row, "amountin", currency) - money(row, "amountout", currency),
        reference=text(row, "transid"),
    )


def credit_of(row: Row, *, currency: str) -> CreditEntry:
    """Read a row of GetCredits."""
    return CreditEntry(
        id=number(row, "id"),
        on=day(row, "date"),
        description=text(row, "description"),
        amount=money(row, "amount", currency),
        invoice_id=number_or_none(row, "relid"),
    )


def cancellation_of(row: Row, *, zone: ZoneInfo) -> Cancellation:
    """Read a row of GetCancelledPackages."""
    return Cancellation(
        service_id=number(row, "relid"),
        at_period_end=text(row, "type").lower() == "end of billing period",
        reason=text(row, "reason"),
        requested_at=moment(row, "date", zone),
    )


def payment_method_of(row: Row, *, is_default: bool | None = None) -> PaymentMethod:
    """Read a row of GetPayMethods; its remote_token is left behind, and it does not say which one is the default."""
    is_card = "card" in text(row, "type").lower()
    return PaymentMethod(
        id=number(row, "id"),
        kind="card" if is_card else "bank",
        description=text(row, "description") or text(row, "card_type" if is_card else "bank_name"),
        last_four=text(row, "card_last_four"),
        expires=text(row, "expiry_date"),
        gateway=text(row, "gateway_name"),
        is_default=is_default,
    )


def subscription_of(row: Row, *, currency: str, reference_field: str, shown: frozenset[str]) -> Subscription:
    """Read a row of GetClientsProducts; its password, user name and notes are left behind.

    `shown` are the names, casefolded, of the custom fields a customer may see.
    """
    return Subscription(
        id=number(row, "id"),
        client_id=number(row, "clientid"),
        product_id=number(row, "pid"),
        order_id=number_or_none(row, "orderid"),
        name=text(row, "translated_name") or text(row, "name"),
        group=text(row, "groupname"),
        status=_service_status(text(row, "status")),
        cycle=BillingCycle(text(row, "billingcycle")),
        recurring=money(row, "recurringamount", currency),
        first_payment=money(row, "firstpaymentamount", currency),
        registered_on=day(row, "regdate"),
        next_due_on=day(row, "nextduedate"),
        reference=field_value_of(row, reference_field),
        gateway=text(row, "paymentmethod"),
        fields=tuple(_shown_fields(row, shown)),
    )


def new_order_of(body: Row) -> BillingOrder:
    """Read the answer of AddOrder; older versions call the services products."""
    services = numbers(body, "serviceids") or numbers(body, "productids")
    return BillingOrder(number(body, "orderid"), services, number_or_none(body, "invoiceid"))


def field_id_of(product: Row, field: str) -> int | None:
    """Find a product's custom field by its name in a row of GetProducts."""
    return next((number(row, "id") for row in _custom_fields(product) if _is_named(row, field)), None)


def prices_of(product: Row, currency: str) -> dict[str, Money]:
    """Read what a product costs by billing cycle; -1.00 means not offered, and one-time prices stand in monthly."""
    pricing = product.get("pricing")
    cells = pricing.get(currency) if isinstance(pricing, dict) else None
    if not isinstance(cells, dict) or text(product, "paytype") == "free":
        return {}
    once = text(product, "paytype") == "onetime"
    cycles = (BillingCycle.MONTHLY,) if once else RECURRING
    offered = {cycle: exact_money(cells, cycle, currency) for cycle in cycles if cycle in cells}
    prices = {BillingCycle.ONE_TIME: offered[BillingCycle.MONTHLY]} if once and offered else offered
    return {cycle.value: price for cycle, price in prices.items() if price.minor >= 0}


def _custom_fields(row: Row) -> list[Row]:
    return rows(row, "customfields", "customfield")


def field_value_of(row: Row, field: str) -> str:
    """Return the value of a service's custom field by its name, empty where it has none."""
    return next((text(item, "value") for item in _custom_fields(row) if _is_named(item, field)), "")


def _is_named(row: Row, field: str) -> bool:
    return _plain_name(row).casefold() == field.casefold()


def _shown_fields(row: Row, shown: frozenset[str]) -> Iterator[tuple[str, str]]:
    for field in _custom_fields(row):
        if _plain_name(field).casefold() in shown and text(field, "value"):
            yield text(field, "translated_name").rpartition("|")[2].strip() or _plain_name(field), text(field, "value")


def _plain_name(field: Row) -> str:
    # Operators may write "name|name for display".
    return text(field, "name").partition("|")[0].strip()


def _taxes(row: Row, currency: str) -> tuple[Tax, ...]:
    both = (("taxrate", "tax"), ("taxrate2", "tax2"))
    found = [Tax(_rate(row, rate), money(row, amount, currency)) for rate, amount in both]
    return tuple(tax for tax in found if tax.rate or tax.amount.minor)


def _rate(row: Row, name: str) -> Decimal:
    try:
        rate = Decimal(text(row, name) or "0")
    except InvalidOperation as error:
        raise ValueError(f"{name} is no rate") from error
    if not rate.is_finite():
        raise ValueError(f"{name} is no rate")
    # normalize() alone would write ten as 1E+1.
    return rate.to_integral_value() if rate == rate.to_integral_value() else rate.normalize()


def _invoice_status(word: str) -> InvoiceStatus:
    name = word.lower().replace(" ", "_")
    return cast(InvoiceStatus, name) if name in get_args(InvoiceStatus) else "unknown"


def _service_status(word: str) -> SubscriptionStatus:
    name = word.lower()
    return cast(SubscriptionStatus, name) if name in get_args(SubscriptionStatus) else "unknown"


def _line(row: Row, currency: str) -> InvoiceLine:
    bills_service = text(row, "type").lower() == "hosting"
    return InvoiceLine(
        description=text(row, "description"),
        amount=money(row, "amount", currency),
        taxed=truth(row, "taxed"),
        service_id=number_or_none(row, "relid") if bills_service else None,
    )


def _payment(row: Row, currency: str, zone: ZoneInfo) -> Payment:
    return Payment(
        paid_at=moment(row, "date", zone) or datetime.fromtimestamp(0, UTC),
        gateway=text(row, "gateway"),
        amount=money(row, "amountin", currency) - money(row, "amountout", currency),
    )
