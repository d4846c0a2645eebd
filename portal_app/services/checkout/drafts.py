"""Order drafts, stored on the server until the order is placed."""

import json
from uuid import UUID, uuid4

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.draft import Draft
from portal_app.domain.checkout.request import Agreement, OrderRequest
from portal_app.domain.checkout.steps import FIELDS, Step, first_open_step, read_answer
from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.order import DraftRow
from portal_app.services.checkout.checkout import Checkout
from portal_app.services.internet.single_line import refuse_second_order

_GONE = "You began another order meanwhile. Go on with that one, or choose this plan again."


class Drafts:
    """Creates, reads and updates drafts. One per customer: choosing another plan discards all answers."""

    def __init__(self, database: Database, checkout: Checkout) -> None:
        self._database = database
        self._checkout = checkout

    async def begin(self, customer: Customer, sku: str) -> Draft:
        """Return the draft for a plan; an existing draft for another plan is replaced. Raises as `Checkout.plan`."""
        plan = await self._checkout.plan(customer, sku)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            if plan.service.category == "internet":
                await refuse_second_order(session, customer.user_id)
            row = await DraftRow.locked(session, customer.user_id)
            if row is None:
                row = DraftRow(user_id=customer.user_id, draft_id=uuid4(), sku=sku)
                session.add(row)
            elif row.sku != sku:
                row.draft_id, row.sku, row.answers, row.updated_at = uuid4(), sku, None, now()
        return await self._to_domain(customer, row, plan)

    async def current(self, customer: Customer) -> Draft:
        """Return the draft. Raises NotFound if there is none or its plan is no longer sold."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(DraftRow, customer.user_id)
        if row is None:
            raise NotFound("no draft", user_message="Choose a plan first.")
        return await self._to_domain(customer, row, await self._checkout.plan(customer, row.sku))

    async def save_answer(self, customer: Customer, draft_id: UUID, step: Step, entries: dict[str, str]) -> Draft:
        """Save the answer to one step. Raises InvalidInput, and Conflict if the draft was replaced."""
        draft = await self.current(customer)
        if draft.id != draft_id or step not in draft.steps:
            raise Conflict("another draft", user_message=_GONE)
        answer = {name: entries[name] for name in FIELDS[step] if name in entries}
        read_answer(step, answer, await self._checkout.rules_for(customer, draft.plan), others=draft.answers)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await DraftRow.locked(session, customer.user_id)
            if row is None or row.draft_id != draft_id:
                raise Conflict("another draft", user_message=_GONE)
            row.answers, row.updated_at = json.dumps(_answers_of(row) | {step: answer}), now()
        return await self._to_domain(customer, row, draft.plan)

    async def order_request(self, customer: Customer, draft_id: UUID, agreed: Agreement) -> OrderRequest:
        """Return the order request of a draft. Raises Conflict if the draft was replaced."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await session.get(DraftRow, customer.user_id)
            if row is None or row.draft_id != draft_id:
                raise Conflict("another draft", user_message=_GONE)
            return OrderRequest(row.sku, _answers_of(row), agreed.to_terms, draft_id, agreed.totals)

    async def _to_domain(self, customer: Customer, row: DraftRow, plan: Plan) -> Draft:
        answers = _answers_of(row)
        rules = await self._checkout.rules_for(customer, plan)
        return Draft(row.draft_id, plan, answers, first_open_step(plan, answers, rules))


def _answers_of(row: DraftRow) -> dict[str, dict[str, str]]:
    answers: dict[str, dict[str, str]] = json.loads(row.answers or "{}")
    return answers
