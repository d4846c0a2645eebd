"""What a plan brings, in a customer's words."""

from portal_app.domain.installation import installation_choices
from portal_app.domain.plan import Plan
from portal_app.language import _


def included_lines(plan: Plan) -> list[str]:
    """Say what a plan brings, one line each; what it costs stands beside its price."""
    own = [_detail(label, value) for label, value in plan.service.details]
    own += [item.name for item in plan.included if item.price.minor == 0] + _installation(plan)
    return [plan.service.description, *own] if plan.service.description else own


def _installation(plan: Plan) -> list[str]:
    """Say what the installation costs and how it may be paid."""
    choices = {choice.key: choice for choice in installation_choices(plan)}
    if "single" not in choices:
        return []
    counts = [str(choice.count) for choice in choices.values() if choice.count > 1]
    total = choices["single"].total
    if not counts:
        return [_("Installation {amount} once").format(amount=total)]
    ways = _(" or ").join(counts)
    return [_("Installation {amount}, at once or in {ways} payments").format(amount=total, ways=ways)]


def _detail(label: str, value: str) -> str:
    return f"{_(label)}: {_(_VALUES.get(value, value))}"


# What Salesforce's picklists mean to a customer; other values are words already.
_VALUES = {
    "DataOnly": "Data only",
    "DataSmsVoice": "Data, SMS and voice",
    "USA-SF": "San Francisco, USA",
    "UK-London": "London, UK",
}
