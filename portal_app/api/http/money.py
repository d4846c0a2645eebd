"""How the API shows an amount of money."""

from typing_extensions import TypedDict

from portal_app.domain.money import Money


class Amount(TypedDict):
    """An amount: `minor` counts yen for JPY, `text` is fit to show."""

    minor: int
    currency: str
    text: str


def amount(money: Money) -> Amount:
    """Show an amount."""
    return {"minor": money.minor, "currency": money.currency, "text": str(money)}
