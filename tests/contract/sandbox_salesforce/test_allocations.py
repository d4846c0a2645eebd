"""Event allocations in /limits."""

from datetime import timedelta

import httpx

from tests.contract.sandbox_salesforce.running import Org
from tests.contract.sandbox_salesforce.subscriber import PubSubClient


async def test_limits_count_what_was_published_and_delivered(org: Org, api: httpx.AsyncClient) -> None:
    async def used() -> tuple[int, int]:
        headers = {"Authorization": f"Bearer {await org.token()}"}
        limits = (await api.get("/limits", headers=headers)).json()
        names = ("HourlyPublishedPlatformEvents", "DailyDeliveredPlatformEvents")
        published, delivered = (limits[name]["Max"] - limits[name]["Remaining"] for name in names)
        return published, delivered

    org.clock.move_to(org.clock.now().replace(hour=9, minute=30))
    assert await used() == (0, 0)
    for _ in range(3):
        org.sandbox.rows.update("Order", org.order_with_item(), {"Activation_Status__c": "Activating"})
    assert await used() == (3, 0)
    # Logged in only now: moving the clock by hours ends earlier sessions.
    async with PubSubClient(org, await org.token()) as pubsub:
        for _ in range(2):
            stream = await pubsub.subscribe(replay_preset="EARLIEST")
            await stream.events(3)
            stream.call.cancel()
    assert await used() == (3, 6)
    org.clock.advance(timedelta(hours=1))
    assert await used() == (0, 6)
    org.clock.advance(timedelta(days=1))
    assert await used() == (0, 0)
