"""What a plan brings, in a customer's words."""

from collections.abc import Callable

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.installation import installation_choices
from portal_app.domain.money import Money
from portal_app.language import _


def included_lines(plan: Plan, *, taxed: Callable[[Money], Money]) -> list[str]:
    """Say what a plan brings, one line each; what it costs stands beside its price. `taxed` adds the tax."""
    own = [_detail(label, value) for label, value in plan.service.details]
    own += [item.name for item in plan.included if item.price.minor == 0]
    own += _installation(plan, taxed)
    return [plan.service.description, *own] if plan.service.description else own


def _installation(plan: Plan, taxed: Callable[[Money], Money]) -> list[str]:
    """Say what the installation costs and how it may be paid."""
    choices = {choice.key: choice for choice in installation_choices(plan)}
    if "single" not in choices:
        return []
    counts = [str(choice.count) for choice in choices.values() if choice.count > 1]
    total = choices["single"].total
    words = [_("Installation {amount} ({taxed} with tax)").format(amount=total, taxed=taxed(total))]
    return words + ([_("Paid at once or in {ways} payments").format(ways=_(" or ").join(counts))] if counts else [])


def _detail(label: str, value: str) -> str:
    return f"{_(label)}: {_(_VALUES.get(value, value))}"


# What Salesforce's picklists mean to a customer; other values are words already.
_VALUES = {
    "DataOnly": "Data only",
    "DataSmsVoice": "Data, SMS and voice",
    "USA-SF": "San Francisco, USA",
    "UK-London": "London, UK",
}
