"""Amounts of money in whole minor units, and tax, rounded down once per rate."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Self

_MINOR_DIGITS = {"JPY": 0}
_SYMBOLS = {"JPY": "¥", "USD": "$", "EUR": "€"}
# Plain decimals only: Decimal() also accepts 1e9, NaN, 1_000 and full-width digits.
_AMOUNT = re.compile(r"-?(\d{1,3}(,\d{3}){1,4}|\d{1,15})(\.\d{1,10})?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (yen for JPY) of one currency."""

    minor: int
    currency: str = "JPY"

    @classmethod
    def parse(cls, text: str | int | Decimal, currency: str = "JPY") -> Self:
        """Parse a vendor's decimal such as "6500.00". Raises ValueError unless it is a whole number of minor units."""
        scaled = _scaled(text, currency)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"not a whole minor unit of {currency}: {text!r}")
        return cls(int(scaled), currency)

    @classmethod
    def parse_rounded(cls, text: str | int | Decimal, currency: str = "JPY") -> Self:
        """Parse a vendor's decimal and round it half up to the minor unit, away from zero. Raises ValueError.

        For amounts to be shown: WHMCS works tax out in hundredths of any currency. Prices are compared exactly.
        """
        return cls(int(_scaled(text, currency).to_integral_value(ROUND_HALF_UP)), currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: str = "JPY") -> Self:
        """Return the sum of amounts of one currency, zero for none. Raises ValueError for mixed currencies."""
        total = cls(0, currency)
        for amount in amounts:
            total = total + amount
        return total

    def __add__(self, other: "Money") -> Self:
        self._same_currency(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> Self:
        self._same_currency(other)
        return type(self)(self.minor - other.minor, self.currency)

    def __mul__(self, count: int) -> Self:
        return type(self)(self.minor * count, self.currency)

    def __str__(self) -> str:
        symbol = _SYMBOLS.get(self.currency) or f"{self.currency} "
        sign = "-" if self.minor < 0 else ""
        digits = _MINOR_DIGITS.get(self.currency, 2)
        if not digits:
            return f"{sign}{symbol}{abs(self.minor):,}"
        whole, rest = divmod(abs(self.minor), 10**digits)
        return f"{sign}{symbol}{whole:,}.{rest:0{digits}}"

    def tax(self, percent: Decimal = Decimal(10)) -> Self:
        """Return the tax on this amount, rounded down to the minor unit; apply it once per rate and invoice."""
        return type(self)(int((self.minor * percent / 100).to_integral_value(ROUND_FLOOR)), self.currency)

    def with_tax(self, percent: Decimal = Decimal(10)) -> Self:
        """Return this amount with tax."""
        return self + self.tax(percent)

    def _same_currency(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def _scaled(text: str | int | Decimal, currency: str) -> Decimal:
    plain = str(text).strip()
    if not _AMOUNT.fullmatch(plain):
        raise ValueError(f"not an amount: {text!r}")
    return Decimal(plain.replace(",", "")) * (Decimal(10) ** _MINOR_DIGITS.get(currency, 2))
