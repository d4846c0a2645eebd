"""Cached responses: the same response, never for another customer, never after it is stale."""

import httpx

from portal_app.domain.profile.customer import Customer
from portal_app.wiring.portal import Portal
from tests.support.clients.new_customer import chiyo
from tests.support.clients.visitor import Visitor, instead_of, running
from tests.support.clients.whmcs_clients import whmcs
from tests.support.running.world import world
from tests.support.vendors.outages import NO_DATABASE
from tests.support.waiting import until

__all__ = ["chiyo"]

INVOICES, PLANS = "/api/invoices?limit=100", "/api/services/vpn"
SUMMARY, SERVICES = "/api/me/summary", "/api/subscriptions"
LISTS = (INVOICES, PLANS)


async def test_a_cached_response_is_the_same_response_and_needs_no_database(ben: Visitor, portal: Portal) -> None:
    # A response that started a mirror read which found a change is not cached: it is older than the change.
    first = {path: await ben.get(path) for path in LISTS * 2}
    mine = portal.identity.sessions.read_access_token(ben.cookie("access"))
    # Longer than the time for which Redis replaces PostgreSQL: the machine may be busy.
    await portal.redis.set(portal.identity.sessions.redis_key(mine.session_id), str(mine.user_id), ex=60)
    async with instead_of(portal, world().settings_with(**NO_DATABASE)):
        for path in LISTS:
            again = await ben.get(path)
            assert (path, again.status_code, again.content) == (path, 200, first[path].content)
            own = {"x-request-id": again.headers["x-request-id"]}
            assert dict(again.headers) == {**first[path].headers, **own}
        assert (await ben.get("/api/me")).status_code == 503


async def test_a_session_that_ended_elsewhere_gets_no_cached_response(ben: Visitor, portal: Portal) -> None:
    for _ in range(2):
        assert (await ben.get(INVOICES)).status_code == 200
    async with running(world().settings) as elsewhere:
        await elsewhere.identity.sessions.end(
            portal.identity.sessions.read_access_token(ben.cookie("access")).session_id
        )
    # The end was not pushed to this process: Redis reports it with the cached response and the memory is cleared.
    for path in (INVOICES, "/api/me", INVOICES):
        assert (await ben.get(path)).status_code == 401


async def test_a_cached_response_goes_to_its_owner_only(ben: Visitor, aiko: Visitor) -> None:
    own, cookies = {}, (ben.cookie("access"), aiko.cookie("access"))
    for turn in range(3):
        for cookie in cookies:
            # One process serves both.
            ben.set_cookie("access", cookie)
            found = (await ben.get("/api/invoices")).json()["total"]
            assert own.setdefault(cookie, found) == found, turn
    assert [own[cookie] for cookie in cookies] == [2, 0]
    ben.set_cookie("access", cookies[0][:-4] + "AAAA")
    assert (await ben.get("/api/invoices")).status_code == 401


async def test_a_change_is_in_the_next_answer(chiyo: tuple[Visitor, Customer], portal: Portal, worker: Portal) -> None:
    visitor, customer = chiyo
    for _ in range(2):
        assert (await visitor.get("/api/invoices")).json()["total"] == 0
    client = str(customer.whmcs_client_id)
    made = await whmcs("CreateInvoice", userid=client, itemdescription1="Data", itemamount1="500")
    await worker.billing.invoices.read_invoice_again(customer, int(made["invoiceid"]))
    for _ in range(2):
        assert (await visitor.get("/api/invoices")).json()["total"] == 1


async def test_any_change_is_in_the_next_summary_and_list_of_services(
    chiyo: tuple[Visitor, Customer], portal: Portal, worker: Portal
) -> None:
    visitor, customer = chiyo

    async def kept() -> bool:
        """Say whether both responses are cached: background reads make the first ones stale."""
        for path in (SUMMARY, SERVICES):
            assert (await visitor.get(path)).status_code == 200
        entries = (
            portal.dashboard.summary.cache_entry(customer.user_id),
            portal.subscriptions.services.cache_entry(customer.user_id),
        )
        return all([await portal.cache.peek_bytes(entry) for entry in entries])

    await until(kept, "both answers are kept")
    await worker.billing.payment_methods.invalidate_methods(customer)
    assert await portal.cache.peek_bytes(portal.dashboard.summary.cache_entry(customer.user_id)) is None
    await until(kept, "both answers are kept")
    order = await whmcs(
        "AddOrder",
        clientid=str(customer.whmcs_client_id),
        paymentmethod="stripe",
        **{"pid[0]": "33", "billingcycle[0]": "monthly"},
    )
    await whmcs("AcceptOrder", orderid=order["orderid"])
    await worker.subscriptions.services.mark_stale(customer)
    assert len((await visitor.get(SERVICES)).json()["items"]) == 1
    await until(kept, "both answers are kept")
    assert len((await visitor.get(SUMMARY)).json()["services"]) == 1


async def test_the_cached_path_answers_unavailable_and_calls_the_vendor_once(
    chiyo: tuple[Visitor, Customer], portal: Portal
) -> None:
    visitor, _ = chiyo
    answers = []
    async with instead_of(portal, world().settings_with(portal_breaker_failures=1000)):
        world().set_faults("whmcs", down=True, operations=["GetInvoices"])
        try:
            for _ in range(3):
                before = await asked_for_invoices()
                answer = await visitor.get("/api/invoices")
                answers.append((answer.status_code, answer.content, await asked_for_invoices() - before))
        finally:
            world().set_faults("whmcs")
            await portal.redis.delete("breaker:{whmcs}")
    # The first response took the uncached path and filled the cache.
    assert answers[0][0] == 503 and answers[0][2] > 0 and answers == answers[:1] * 3


async def asked_for_invoices() -> int:
    """Return how often WHMCS was asked for a list of invoices so far."""
    async with httpx.AsyncClient() as office:
        return int((await office.get(f"{world().office}/api/calls")).json()["whmcs"].get("GetInvoices", 0))


async def test_cached_responses_count_against_the_rate_limit(ben: Visitor, portal: Portal) -> None:
    await ben.get("/api/invoices")
    async with instead_of(portal, world().settings_with(portal_api_limit="7/minute")):
        paths = ["/api/invoices", "/api/me", "/api/invoices", "/api/me"] * 3
        answers = [await ben.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 7 + [429] * 5
    assert all(1 <= int(answer.headers["retry-after"]) <= 61 for answer in answers[7:])


async def test_the_sessions_of_an_account_share_its_limit_and_another_account_has_its_own(
    ben: Visitor, aiko: Visitor, portal: Portal
) -> None:
    async with instead_of(portal, world().settings_with(portal_api_limit="5/minute")):
        other = await Visitor(portal.settings).sign_in(ben.email)
        answers = [await each.get("/api/invoices") for each in (ben, other) * 4]
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 3
        assert (await aiko.get("/api/invoices")).status_code == 200
        await other.http.aclose()


async def test_without_redis_the_uncached_path_answers(ben: Visitor, portal: Portal) -> None:
    first = {path: (await ben.get(path)).content for path in LISTS}
    async with instead_of(portal, world().settings_with(redis_url="redis://127.0.0.1:1/0")) as alone:
        assert {path: (await ben.get(path)).content for path in LISTS} == first
        await alone.identity.sessions.end(portal.identity.sessions.read_access_token(ben.cookie("access")).session_id)
        assert [(await ben.get(path)).status_code for path in LISTS] == [401, 200]
