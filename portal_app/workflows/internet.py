"""Fibre: addresses checked by agents, and lines set up once per customer."""

from uuid import UUID

from portal_app.domain.ports.billing import BillingOrder
from portal_app.wiring.portal import portal
from portal_app.workflows.step import DONE, Outcome, durable, step


@durable(name="check_address")
async def check_address(user_id: str, check_id: str) -> str:
    """Hand a customer's request to an agent as soon as Salesforce takes it; the answer comes by event."""
    answers = portal().internet.answers
    return (await step("hand_over_check", lambda: answers.hand_over(UUID(user_id), UUID(check_id))))["state"]


async def check_alone(order: UUID) -> Outcome:
    """Refuse a second fibre line."""
    return await step("check_alone", lambda: portal().provisioning.internet.check_alone(order))


async def link_line(order: UUID, billed: BillingOrder) -> Outcome:
    """Tie the line, the first service of the order, to the account's opportunity."""
    if not billed.service_ids:
        return DONE
    return await step("link_line", lambda: portal().provisioning.internet.link(order, billed.service_ids[0]))
