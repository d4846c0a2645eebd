"""One customer who calls as often as the API allows does not take a vendor from the others."""

import asyncio

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world

LINK = "/api/payment-methods/sso-link"
# Far above what reads in the background of earlier tests still call: they count against the same rate.
RATE, SHARE = 200, 100


async def test_a_customer_over_the_share_is_refused_and_another_one_is_answered(
    ben: Visitor, aiko: Visitor, portal: Portal
) -> None:
    # Other tests called WHMCS within the last minute.
    await portal.redis.delete("lane:{whmcs}:calls")
    async with instead_of(portal, world().settings_with(whmcs_rate=f"{RATE}/minute", whmcs_wait=1)):
        hammered = await asyncio.gather(*(ben.call("POST", LINK) for _ in range(RATE)))
        answered = [await aiko.call("POST", LINK) for _ in range(3)]
    refused = [answer for answer in hammered if answer.status_code == 503]
    assert len(hammered) - len(refused) <= SHARE and refused
    assert {answer.json()["code"] for answer in refused} == {"external_unavailable"}
    assert all(answer.headers["retry-after"] for answer in refused)
    assert [answer.status_code for answer in answered] == [200] * 3
