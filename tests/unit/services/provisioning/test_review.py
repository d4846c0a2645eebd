"""The check before provisioning: only an order that Salesforce shows as approved now is provisioned."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from portal_app.domain.orders.order import SalesforceOrder
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.live import LiveUpdates
from portal_app.models.order import OrderRow
from portal_app.models.user import IdMapping
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.orders.timeline import OrderTimeline
from portal_app.services.provisioning.review import CARD_MISSING, OrderReview


@dataclass
class BillingServices:
    """A Salesforce that knows one order."""

    status: str
    activation: str
    error: str

    async def order(self, sf_order_id: str) -> SalesforceOrder:
        return SalesforceOrder(sf_order_id, "", "", self.status, self.activation, "", "vpn", self.error)


@pytest.mark.parametrize(
    ("status", "activation", "error", "approval"),
    [
        ("Pending Review", "Activating", "", "approved"),
        ("Pending Review", "Not Started", "", "no"),
        ("Pending Review", "Failed", CARD_MISSING, CARD_MISSING),
        ("Pending Review", "Failed", "SIM_OUT_OF_STOCK", "no"),
        ("Cancelled", "Activating", "", "no"),
        ("Cancelled", "Failed", CARD_MISSING, "no"),
        ("Rejected", "Activating", "", "no"),
        ("Processed", "Activated", "", "no"),
    ],
)
async def test_only_an_order_under_review_that_was_approved_is_provisioned(
    worker: Database,
    user_id: UUID,
    email_outbox: EmailOutbox,
    status: str,
    activation: str,
    error: str,
    approval: str,
) -> None:
    number = uuid4().int % 2**31
    async with worker.unit_of_work() as session:
        mapping = {"sf_account_id": f"1{number}", "sf_contact_id": f"3{number}", "customer_number": f"{number:09}"[:9]}
        session.add(IdMapping(user_id=user_id, whmcs_client_id=number, **mapping))
        row = OrderRow(user_id=user_id, category="vpn", lines=[], sf_order_id=f"801{number}"[:18])
        session.add(row)
    redis = connect("redis://127.0.0.1:1/0", seconds=1)
    progress = OrderTimeline(worker, email_outbox, LiveUpdates(redis, Cache(redis)))
    review = OrderReview(progress, BillingServices(status, activation, error))  # type: ignore[arg-type]
    assert await review.approval(row.id, 1) == approval
    assert await review.approval(row.id, 2) == "no"
    await redis.aclose()
