"""The calendar link: what it shows, and to whom."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.cancelling import cancel, path_of, put_back
from tests.support.clients.visitor import Visitor, instead_of, mailed, new_customer
from tests.support.running.world import PASSWORD, world

__all__ = ["put_back"]


async def link_of(somebody: Visitor) -> str:
    made = await somebody.call("POST", "/api/me/calendar")
    assert made.status_code == 201
    return urlsplit(made.json()["url"]).path


async def events(anybody: Visitor, link: str) -> dict[str, icalendar.Event]:
    answer = await anybody.get(link)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers
    for line in answer.content.split(b"\r\n"):
        assert len(line) <= 75
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert str(calendar["version"]) == "2.0" and not calendar.errors
    return {str(event["uid"]): event for event in calendar.walk("VEVENT")}


async def test_a_calendar_program_reads_due_dates_and_last_days_without_a_cookie(
    ben: Visitor, visitor: Visitor
) -> None:
    unpaid = (await ben.get("/api/invoices?status=unpaid")).json()["items"][0]
    path = await path_of(ben)
    service = (await ben.get(path)).json()
    taken = (await cancel(ben, path)).json()
    found = await events(visitor, await link_of(ben))
    host = urlsplit(ben.settings.portal_url).netloc
    due = found[f"due-{unpaid['id']}@{host}"]
    assert str(due["summary"]) == f"Invoice {unpaid['number']} is due"
    assert due["dtstart"].dt == date.fromisoformat(unpaid["due_on"])
    assert due["dtend"].dt == due["dtstart"].dt + timedelta(days=1)
    last = found[f"last_day-{service['id']}@{host}"]
    assert last["dtstart"].dt.isoformat() == taken["ends_on"] and service["name"] in str(last["summary"])
    assert found[f"withdraw_until-{service['id']}@{host}"]["dtstart"].dt.isoformat() == taken["withdraw_until"]
    # Its own time of writing may hold any digits.
    fields = (field for event in found.values() for field in event.items() if field[0] != "DTSTAMP")
    text = " ".join(str(value.to_ical()) for _, value in fields)
    for private in ("Ben", "Carter", ben.email, unpaid["total"]["text"], "4242", "C00000002"):
        assert private not in text


async def test_a_new_link_revokes_the_old_one_and_a_revoked_one_is_gone(ben: Visitor, visitor: Visitor) -> None:
    first = await link_of(ben)
    second = await link_of(ben)
    assert (await ben.get("/api/me/calendar")).json()["made_at"]
    gone, unknown = await visitor.get(first), await visitor.get("/calendar/AAAA.ics")
    assert (gone.status_code, gone.content) == (404, unknown.content)
    assert (await visitor.get(second)).status_code == 200
    await ben.call("DELETE", "/api/me/calendar")
    assert (await visitor.get(second)).content == gone.content
    assert (await ben.get("/api/me/calendar")).json() == {"made_at": None}


@pytest.mark.parametrize(
    "act", [("POST", "/api/auth/logout-everywhere"), ("DELETE", "/api/me/sessions"), ("POST", "/api/me/password")]
)
async def test_a_link_is_told_by_mail_and_ends_with_all_sessions(
    portal: Portal, worker: Portal, act: tuple[str, str]
) -> None:
    hana = await Visitor(portal.settings).sign_in(await new_customer(worker))
    await link_of(hana)
    owner = portal.identity.sessions.read_access_token(hana.cookie("access")).user_id
    assert await portal.dashboard.calendar_feed.made_at(owner)
    assert (await mailed(worker, hana.email))["occasion"] == "calendar_link_made"
    change = {"present": PASSWORD, "password": "seven green apples"} if act[1].endswith("password") else None
    assert (await hana.call(*act, change)).status_code == 200
    assert await portal.dashboard.calendar_feed.made_at(owner) is None


async def test_every_link_shows_its_own_customer_alone(ben: Visitor, aiko: Visitor, visitor: Visitor) -> None:
    for path in ("/api/invoices", "/api/subscriptions"):
        await aiko.get(path)
    theirs, mine = await link_of(ben), await link_of(aiko)
    assert await events(visitor, theirs) and not await events(aiko, mine)
    head = await visitor.http.head(theirs)
    assert (head.status_code, head.content) == (200, b"")
    # A session of another customer does not open the feed and does not change it.
    await aiko.call("DELETE", "/api/me/calendar")
    assert await events(visitor, theirs)


@pytest.mark.parametrize("token", ["", "x", "a" * 101, "%00", "..%2f", "' OR '1'='1", "%F0%9F%98%80", "a" * 43])
async def test_a_guessed_token_is_not_found(visitor: Visitor, token: str) -> None:
    assert (await visitor.get(f"/calendar/{token}.ics")).status_code == 404


async def test_guessing_is_slowed_down_by_address(visitor: Visitor, ben: Visitor, portal) -> None:
    link = await link_of(ben)
    async with instead_of(portal, world().settings_with(portal_calendar_limit="3/minute")):
        stranger = Visitor(portal.settings, address="203.0.113.77")
        codes = [(await stranger.get(f"/calendar/guess{turn}.ics")).status_code for turn in range(5)]
        assert codes == [404, 404, 404, 429, 429]
        assert (await stranger.get(link)).status_code == 429
        await stranger.http.aclose()
