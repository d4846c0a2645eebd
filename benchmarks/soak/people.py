"""The agents of a soak: they check addresses and identities, approve, correct orders, and bring new SIMs."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.soak.lives import BAD_DAY, Book, Case
from portal_app.domain.orders.steps import plain_step
from tests.support.clients import fibre_orders as fibre
from tests.support.clients.portal_driver import Buyer, PortalDriver

# So few SIMs come at a time that orders compete for the last of them.
_PARCEL = 4
_ROWS = """
SELECT orders.id, coalesce(sf_order_id, ''), stage,
    coalesce((SELECT step FROM order_events WHERE order_id = orders.id ORDER BY at DESC LIMIT 1), '')
FROM orders WHERE stage IN ('in_review', 'needs_attention')
"""
_CHECKS = "SELECT user_id FROM internet_eligibility WHERE status = 'pending' AND is_handed_over"
_NO_STOCK = "failed_SIM_OUT_OF_STOCK"


class People:
    """Do what is due, again and again; `stopped` counts why orders stopped before an agent corrected it."""

    def __init__(self, driver: PortalDriver, book: Book, buyers: dict[UUID, Buyer]) -> None:
        self.stopped: Counter[str] = Counter()
        self._driver = driver
        self._book = book
        self._buyers = buyers
        self._answered: set[UUID] = set()
        self._verified: set[UUID] = set()
        self._paying: set[UUID] = set()

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except BAD_DAY:
                await asyncio.sleep(1)
            await asyncio.sleep(0.5)

    async def look(self) -> None:
        """Do once what is due now."""
        for (user_id,) in await self._driver.rows(_CHECKS):
            if user_id in self._buyers and user_id not in self._answered:
                await fibre.answer(self._driver, self._buyers[user_id], fibre.OFFER)
                self._answered.add(user_id)
        for order_id, sf_order_id, stage, step in await self._driver.rows(_ROWS):
            case = self._book.find(order_id, sf_order_id)
            if case is not None and case.may_be_decided and sf_order_id:
                await self._attend(case, sf_order_id, stage, plain_step(step))

    async def _attend(self, case: Case, sf_order_id: str, stage: str, step: str) -> None:
        if stage == "in_review" and not case.is_decided:
            await self._decide(case, sf_order_id)
        elif step == "waiting_for_identity" and case.customer.identity == "asked":
            await self._verify(case.buyer)
        elif step == "waiting_for_card" and case.customer.card == "asked":
            if case.buyer.customer.user_id not in self._paying:
                await self._driver.add_card(case.buyer)
                self._paying.add(case.buyer.customer.user_id)
        elif step.startswith("failed_"):
            await self._supply(case, sf_order_id, step)

    async def _decide(self, case: Case, sf_order_id: str) -> None:
        if case.wanted.ends == "not_accepted":
            await self._post(sf_order_id, "reject")
        else:
            if case.wanted.starts_in:
                begins = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=case.wanted.starts_in)
                path, fields = f"/orders/{sf_order_id}", {"Activation_Scheduled_At__c": begins.isoformat()}
                (await self._driver.office.post(path, json=fields)).raise_for_status()
            await self._post(sf_order_id, "approve")
        case.is_decided = True

    async def _verify(self, buyer: Buyer) -> None:
        user_id = buyer.customer.user_id
        if user_id not in self._verified:
            check = await self._driver.web.profile.kyc_documents.check_for(buyer.customer)
            if not check.is_pending:
                await self._driver.decide_identity(buyer)
                self._verified.add(user_id)

    async def _supply(self, case: Case, sf_order_id: str, step: str) -> None:
        """Bring new SIMs where they ran out, and approve again what stopped."""
        self.stopped[step.removeprefix("failed_")] += 1
        if step == _NO_STOCK:
            await self._driver.stock(_PARCEL, esim=case.wanted.is_electronic)
        await self._post(sf_order_id, "approve")

    async def _post(self, sf_order_id: str, decision: str) -> None:
        answer = await self._driver.office.post(f"/orders/{sf_order_id}/{decision}")
        # Somebody decided already, or what we saw of it is old: the next look tells.
        if answer.status_code != 409:
            answer.raise_for_status()
