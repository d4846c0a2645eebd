"""What one customer may set off in a time: links at vendors, mails, work of our team. Others are not held back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import select

from portal_app.models.email_outbox import Mail
from portal_app.wiring.portal import Portal
from tests.support.clients.cancelling import cancel, keep, path_of, put_back
from tests.support.clients.visitor import Visitor, instead_of, new_account
from tests.support.running.world import AIKO, BEN, servers, world

__all__ = ["put_back"]
Act = Callable[[Visitor], Awaitable[httpx.Response]]


async def invoice_link(visitor: Visitor) -> httpx.Response:
    """Ask for a link to the first invoice: as PDF and to pay, they count together."""
    invoices = (await visitor.get("/api/invoices")).json()["items"]
    return await visitor.call("POST", f"/api/invoices/{invoices[0]['id']}/sso-link?target=pdf")


async def calendar_link(visitor: Visitor) -> httpx.Response:
    return await visitor.call("POST", "/api/me/calendar")


async def card_link(visitor: Visitor) -> httpx.Response:
    return await visitor.call("POST", "/api/payment-methods/sso-link")


async def cancelled_and_kept(visitor: Visitor) -> httpx.Response:
    """Cancel a service and take it back, with a mail about each."""
    path = await path_of(visitor)
    answer = await cancel(visitor, path)
    if answer.status_code == 201:
        assert (await keep(visitor, path)).status_code == 200
    return answer


ACTS: dict[str, Act] = {
    "invoice link": invoice_link,
    "card link": card_link,
    "calendar link": calendar_link,
    "cancellation": cancelled_and_kept,
}


@pytest.fixture
async def strict(portal: Portal) -> AsyncIterator[Portal]:
    """A portal with limits that a test reaches, and nothing counted yet."""
    changes = {"portal_link_limit": "3/hour", "portal_change_limit": "3/hour", "redis_url": servers().redis(8)}
    async with instead_of(portal, world().settings_with(**changes)) as built:
        await built.redis.flushdb()
        yield built


@pytest.mark.parametrize("act", ACTS)
async def test_a_customer_sets_off_only_so_much_and_is_told_when_to_come_back(strict: Portal, act: str) -> None:
    ben = await Visitor(strict.settings).sign_in(BEN)
    answers = [await ACTS[act](ben) for _ in range(4)]
    assert [answer.status_code < 300 for answer in answers] == [True, True, True, False]
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert "in a short time. Try again in 1 hour" in refused.json()["detail"] or "minutes" in refused.json()["detail"]
    assert 3000 < int(refused.headers["retry-after"]) <= 3601


async def test_another_customer_goes_on_and_a_form_is_told_in_its_language(strict: Portal) -> None:
    ben, aiko = await Visitor(strict.settings).sign_in(BEN), await Visitor(strict.settings).sign_in(AIKO)
    invoices = (await ben.get("/api/invoices")).json()["items"]
    path = f"/api/invoices/{invoices[0]['id']}/sso-link"
    for _ in range(3):
        await invoice_link(ben)
    answer = await ben.submit(path, page=f"/ja/billing/invoices/{invoices[0]['id']}")
    flash = await strict.flash_messages.read(parse_qs(urlsplit(answer.headers["location"]).query)["flash"][0])
    assert flash["form"].startswith("短い時間に請求のリンクを何度も開かれています。")
    assert (await card_link(aiko)).status_code == 200


async def test_sign_ins_from_ever_new_devices_send_only_so_many_mails(strict: Portal, worker: Portal) -> None:
    email = await new_account(strict)
    for _ in range(6):
        await Visitor(strict.settings).sign_in(email)
    async with worker.database.unit_of_work() as session:
        mails = (await session.exec(select(Mail).where(Mail.template == "new_device"))).all()
    # The first device of an account is not news.
    assert sum(mail.recipient == email for mail in mails) == 3
