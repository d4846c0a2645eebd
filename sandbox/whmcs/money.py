"""Amounts as WHMCS writes them. Inside the sandbox an amount is an integer of hundredths of a yen."""

import re
from decimal import ROUND_HALF_UP, Decimal

CURRENCY_ID = 1
CURRENCY_CODE = "JPY"
PREFIX = "¥"
SUFFIX = " JPY"
TAX_RATE = "10.000"

_AMOUNT = re.compile(r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")


def hundredths(text: str) -> int | None:
    """Read an amount such as 6500 or 6500.00; None when it is not one."""
    text = text.strip()
    return int(Decimal(text) * 100) if _AMOUNT.match(text) else None


def decimal(amount: int) -> str:
    """Write an amount with two places: 650000 becomes 6500.00."""
    return f"{Decimal(amount) / 100:.2f}"


def formatted(amount: int) -> str:
    """Write an amount for people, with the currency's prefix and suffix; the sign stands after the prefix."""
    return f"{PREFIX}{Decimal(amount) / 100:,.0f}{SUFFIX}"


def tax_on(taxable: int, rate: str, *, in_hundredths: bool = False) -> int:
    """Return the tax on an amount at a percentage: floored to whole yen, or rounded to hundredths as WHMCS does."""
    if in_hundredths:
        return int((Decimal(taxable) * Decimal(rate) / 100).quantize(Decimal(1), ROUND_HALF_UP))
    return int(Decimal(taxable) * Decimal(rate) / 10000) * 100
