"""Texts that describe a plan to customers."""

from collections.abc import Callable

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.installation import installation_choices
from portal_app.domain.money import Money
from portal_app.language import _


def included_lines(plan: Plan, *, taxed: Callable[[Money], Money]) -> list[str]:
    """Return the lines that describe a plan. `taxed` returns an amount with tax."""
    own = [f"{_(label)}: {_(_VALUES.get(value, value))}" for label, value in plan.service.details]
    own += [item.name for item in plan.included if item.price.minor == 0]
    own += _installation(plan, taxed)
    return [plan.service.description, *own] if plan.service.description else own


def _installation(plan: Plan, taxed: Callable[[Money], Money]) -> list[str]:
    """Return the lines about the price of the installation and its payment options."""
    choices = {choice.key: choice for choice in installation_choices(plan)}
    if "single" not in choices:
        return []
    counts = [str(choice.count) for choice in choices.values() if choice.count > 1]
    total = choices["single"].total
    lines = [_("Installation {amount} ({taxed} with tax)").format(amount=total, taxed=taxed(total))]
    return lines + ([_("Paid at once or in {ways} payments").format(ways=_(" or ").join(counts))] if counts else [])


# Texts for picklist values of Salesforce; other values are readable as they are.
_VALUES = {
    "DataOnly": "Data only",
    "DataSmsVoice": "Data, SMS and voice",
    "USA-SF": "San Francisco, USA",
    "UK-London": "London, UK",
}
