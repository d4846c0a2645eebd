"""Reconcile: finds what we missed of Salesforce, with a few queries for many orders each."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal_app.domain.identifiers import our_id_or_none
from portal_app.domain.orders.order import SalesforceOrder
from portal_app.domain.ports.crm import CrmGateway
from portal_app.infra.database.database import Database
from portal_app.models.order import OrderRow
from portal_app.models.user import IdMapping

_AT_ONCE = 200
_log = structlog.get_logger(__name__)


class Reconcile:
    """Compare our orders with Salesforce's."""

    def __init__(self, database: Database, crm: CrmGateway) -> None:
        self._database = database
        self._crm = crm

    async def orders_changed_since(self, since: datetime) -> list[str]:
        """Return the Salesforce ids of orders that changed since a moment and are newer there than here."""
        return await self._behind(await self._crm.orders_changed_since(since))

    async def orders_behind(self, sf_order_ids: Sequence[str]) -> list[str]:
        """Return those of some Salesforce ids whose orders are newer there than here."""
        reviews: list[SalesforceOrder] = []
        for begin in range(0, len(sf_order_ids), _AT_ONCE):
            reviews += await self._crm.orders(sf_order_ids[begin : begin + _AT_ONCE])
        return await self._behind(reviews)

    async def _behind(self, reviews: Sequence[SalesforceOrder]) -> list[str]:
        found: list[str] = []
        for begin in range(0, len(reviews), _AT_ONCE):
            found += await self._behind_of(reviews[begin : begin + _AT_ONCE])
        _log.info("reconcile.orders", compared=len(reviews), behind=len(found))
        return found

    async def _behind_of(self, reviews: Sequence[SalesforceOrder]) -> list[str]:
        ours = [order_id for review in reviews if (order_id := our_id_or_none(review.portal_order_id))]
        query = select(OrderRow).where(
            sa.or_(col(OrderRow.sf_order_id).in_([review.id for review in reviews]), col(OrderRow.id).in_(ours))
        )
        async with self._database.unit_of_work() as session:
            rows = [(row.sf_order_id, str(row.id), row.stage) for row in (await session.exec(query)).all()]
            of_ours = select(IdMapping.sf_account_id).where(
                col(IdMapping.sf_account_id).in_([review.account_id for review in reviews])
            )
            accounts = set((await session.exec(of_ours)).all())
        stages = {name: stage for sf_order_id, order_id, stage in rows for name in (sf_order_id, order_id)}
        return [review.id for review in reviews if _is_behind(stages, review) or _is_new(stages, review, accounts)]


def _is_behind(stages: dict[str | None, str], review: SalesforceOrder) -> bool:
    stage = stages.get(review.id) or stages.get(review.portal_order_id)
    if stage is None or stage == "active" or review.stage == "in_progress":
        return False
    # An approved order counts too where we know that it is: its provisioning may never have begun.
    return stage != review.stage or review.activation_status == "Activating"


def _is_new(stages: dict[str | None, str], review: SalesforceOrder, accounts: set[str]) -> bool:
    """Say whether agents made this order for a customer of ours and we have not taken it in yet."""
    return review.id not in stages and not review.portal_order_id and review.account_id in accounts
