"""What a plan brings, in a customer's words."""

from portal_app.domain.plan import Plan
from portal_app.language import _


def included_lines(plan: Plan) -> list[str]:
    """Say what a plan brings, one line each; what it costs stands beside its price."""
    own = [_detail(label, value) for label, value in plan.service.details]
    return [plan.service.description, *own] if plan.service.description else own


def _detail(label: str, value: str) -> str:
    return f"{_(label)}: {_(_VALUES.get(value, value))}"


# What Salesforce's picklists mean to a customer; other values are words already.
_VALUES = {
    "DataOnly": "Data only",
    "DataSmsVoice": "Data, SMS and voice",
    "USA-SF": "San Francisco, USA",
    "UK-London": "London, UK",
}
