"""What data may be bought, what they cost, and where each answer about the money leads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest

from portal_app.domain.billing.charge import ChargedInvoice
from portal_app.domain.billing.invoice import Invoice, InvoiceStatus, Payment
from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.sim import top_up
from portal_app.domain.sim.top_up import PaymentTimes, TopUpState, after_compare, after_reading, parse_gigabytes

AT = datetime(2026, 4, 1, 3, tzinfo=UTC)
YEN = Money(550)
UNPAID = Invoice(1, "", 1, "unpaid", None, None, None, Money(500), Money(50), Money(0), YEN)
TIMES = PaymentTimes(
    tried_at=AT,
    confirm_until=AT + timedelta(minutes=30),
    give_up_at=AT + timedelta(days=6),
    unknown=timedelta(minutes=15),
)


def found(status: InvoiceStatus = "unpaid", *, paid: int = 0, credit: int = 0) -> ChargedInvoice:
    payments = (Payment(AT, "stripe", Money(paid)),) if paid else ()
    return ChargedInvoice(replace(UNPAID, status=status, payments=payments, credit=Money(credit)), was_tried=True)


@pytest.mark.parametrize(("given", "read"), [(1, 1), ("50", 50), ("１", 1), (" 7 ", 7)])
def test_whole_gigabytes_are_read(given: object, read: int) -> None:
    assert parse_gigabytes(given) == read


@pytest.mark.parametrize("given", [0, 51, -1, 0.5, "0.5", "1e1", None, 10**9, "", "x", True, "²", [1], "1 1"])
def test_other_amounts_are_refused(given: object) -> None:
    with pytest.raises(InvalidInput):
        parse_gigabytes(given)


def test_the_price_is_that_of_all_gigabytes_with_tax_once() -> None:
    assert top_up.top_up_total(3, Money(333), tax_percent=Decimal(10)) == Money(1098)


@pytest.mark.parametrize(
    ("invoice", "total", "state", "reason"),
    [
        (found(), YEN, "compared", ""),
        (found(), Money(500), "stopping", "price_changed"),
        (found("paid", paid=550), YEN, "paid", ""),
        (found("paid", credit=550), YEN, "paid", ""),
        (found("paid", credit=550), Money(500), "asking", "price_changed"),
        (found("payment_pending"), YEN, "charging", ""),
        (found("cancelled"), YEN, "stopping", "invoice_gone"),
    ],
)
def test_an_invoice_is_charged_only_at_the_price_that_was_agreed(
    invoice: ChargedInvoice, total: Money, state: str, reason: str
) -> None:
    assert after_compare(invoice, total) == (state, reason)


# The state, the invoice, the minutes that have passed, where that leads.
READINGS = [
    *((state, found("paid", paid=550), 0, "paid") for state in ("charging", "confirm", "unclear", "late")),
    ("confirm", found("cancelled", paid=550), 0, "paid"),
    ("charging", found("refunded", paid=550), 0, "stopped"),
    ("charging", found(), 14, "charging"),
    ("charging", found(), 15, "asking"),
    ("charging", found("payment_pending"), 14, "charging"),
    ("charging", found("payment_pending"), 15, "asking"),
    ("charging", found("cancelled"), 0, "stopped"),
    ("charging", found(paid=100), 14, "charging"),
    ("confirm", found(), 29, "confirm"),
    ("confirm", found(), 30, "stopping"),
    ("confirm", found("payment_pending"), 5, "charging"),
    ("unclear", found(), 60, "unclear"),
    ("unclear", found(), 6 * 24 * 60, "stopping"),
    ("unclear", found("payment_pending"), 9 * 24 * 60, "unclear"),
    ("unclear", found("cancelled"), 60, "stopped"),
    ("late", found("cancelled"), 0, "stopped"),
    ("late", found(), 0, "stopped"),
]


@pytest.mark.parametrize(("state", "invoice", "minutes", "following"), READINGS)
def test_each_answer_about_the_money_leads_on(
    state: TopUpState, invoice: ChargedInvoice, minutes: int, following: str
) -> None:
    assert after_reading(state, invoice, TIMES, AT + timedelta(minutes=minutes))[0] == following


def test_every_state_has_a_standing_and_a_way_on_after_a_refusal() -> None:
    for state in get_args(TopUpState):
        assert top_up._STANDINGS[state]
        if state in top_up.ENDED:
            continue
        seen = state
        for _ in range(4):
            seen = top_up.after_refusal(seen) if seen not in ("unclear", *top_up.ENDED) else seen
        assert seen in ("unclear", "stopped", "with_team")
