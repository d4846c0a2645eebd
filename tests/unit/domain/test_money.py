"""Money: whole minor units, read strictly, tax floored once."""

from decimal import Decimal

import pytest

from portal_app.domain.money import Money


@pytest.mark.parametrize(
    ("text", "yen"), [("6500.00", 6500), ("6,500", 6500), ("-1,234,567.00", -1234567), ("0", 0), (" 980 ", 980)]
)
def test_a_vendors_decimal_is_read_as_whole_yen(text: str, yen: int) -> None:
    assert Money.parse(text) == Money(yen)


@pytest.mark.parametrize(
    "text",
    [
        "6500.50",
        "",
        "¥6500",
        "1e3",
        "1e999999999",
        "NaN",
        "sNaN",
        "Infinity",
        "1_000",
        "1,5",
        "６５００",
        "--1",
        "0x10",
    ],
)
def test_an_amount_that_is_not_a_plain_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        Money.parse(text)


def test_another_currency_keeps_its_cents() -> None:
    assert Money.parse("12.34", "USD").minor == 1234
    with pytest.raises(ValueError, match="minor unit of USD"):
        Money.parse("12.345", "USD")


def test_tax_is_floored_once_on_the_sum_and_not_on_each_line() -> None:
    lines = [Money(105), Money(105)]
    assert Money.total(lines).tax() == Money(21)
    assert Money.total(line.tax() for line in lines) == Money(20)
    assert Money(6500).with_tax() == Money(7150)
    assert Money(999).tax(Decimal(8)) == Money(79)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot mix JPY and USD"):
        Money(1) + Money(1, "USD")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Money(1234567), "¥1,234,567"),
        (Money(-980), "-¥980"),
        (Money(0), "¥0"),
        (Money(1205, "USD"), "$12.05"),
        (Money(9007199254740993, "EUR"), "€90,071,992,547,409.93"),
        (Money(5, "GBP"), "GBP 0.05"),
    ],
)
def test_amounts_are_written_exactly_with_their_symbol(amount: Money, words: str) -> None:
    assert str(amount) == words
