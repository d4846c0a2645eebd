"""The calendar link: a feed of days for calendar programs (RFC 5545), and making and ending the link."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from icalendar import Calendar, Event, Timezone, TimezoneStandard, vDuration
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.dashboard.schemas import CalendarLinkView, NewCalendarLink
from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_context import context_of
from portal_app.api.http.responses import json
from portal_app.domain.dashboard.calendar import CalendarEntry, CalendarFeed, EntryKind
from portal_app.infra.email.templates import PRODUCT
from portal_app.language import _, path_for, speaking
from portal_app.language.format import JAPAN
from portal_app.wiring.portal import portal

router = APIRouter(tags=["calendar"])
_WORDS: dict[EntryKind, str] = {
    "due": "Invoice {name} is due",
    "renewal": "{name} renews",
    "last_day": "Last day of {name}",
    "withdraw_until": "Last day to keep {name}",
}
_PATHS: dict[EntryKind, str] = {"due": "/billing/invoices/{id}"}
_READ_AGAIN, _JAPAN_OFFSET = timedelta(hours=6), timedelta(hours=9)


@router.head("/calendar/{token}.ics", include_in_schema=False)
@router.get("/calendar/{token}.ics", include_in_schema=False)
async def feed(request: Request, token: str) -> Response:
    """Answer a calendar program: the link is all it has, so it tells days and names, and nothing else."""
    built = portal()
    found = await built.dashboard.calendar_feed.feed(token, network=context_of(request.scope).origin.network)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'inline; filename="calendar.ics"',
        "X-Robots-Tag": "noindex",
    }
    return Response(written(found, built.settings.portal_url), 200, headers, media_type="text/calendar; charset=utf-8")


@router.get("/api/me/calendar", response_model=CalendarLinkView)
async def link(access: SignedIn) -> Response:
    """Say whether there is a calendar link, and since when; the link itself is nowhere kept."""
    return json(CalendarLinkView(await portal().dashboard.calendar_feed.made_at(access.user_id)))


@router.post("/api/me/calendar", status_code=201, response_model=NewCalendarLink)
async def renew(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Make a calendar link, told this once (`null` for the same key again); the one before ends.

    Needs a fresh proof (POST /api/me/step-up).
    """
    made: list[str] = []

    async def made_again() -> None:
        made.append(await portal().dashboard.calendar_feed.renew(access.user_id, access.session_id))

    await once(None, made_again)
    return json(NewCalendarLink(f"{portal().settings.portal_url}/calendar/{made[0]}.ics" if made else None), 201)


@router.delete("/api/me/calendar", response_model=CalendarLinkView)
async def revoke(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """End the calendar link."""
    await once(None, lambda: portal().dashboard.calendar_feed.revoke(access.user_id))
    return json(CalendarLinkView(None))


def written(found: CalendarFeed, portal_url: str) -> bytes:
    """Write a feed: whole days without a zone, as the business dates of Japan are.

    RFC 5545 asks for at least one component in a calendar: Japan's time zone is one, also where there are no days.
    """
    with speaking(found.language):
        calendar = Calendar()
        calendar.add("prodid", f"-//{PRODUCT}//EN")
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        calendar.add("x-wr-calname", PRODUCT)
        calendar["refresh-interval"] = vDuration(_READ_AGAIN)
        calendar["refresh-interval"].params["VALUE"] = "DURATION"
        calendar.add_component(_japan())
        for entry in found.entries:
            calendar.add_component(_event(entry, found, portal_url))
    return calendar.to_ical()


def _japan() -> Timezone:
    standard = TimezoneStandard()
    standard.add("dtstart", datetime(1970, 1, 1))
    standard.add("tzoffsetfrom", _JAPAN_OFFSET)
    standard.add("tzoffsetto", _JAPAN_OFFSET)
    standard.add("tzname", "JST")
    zone = Timezone()
    zone.add("tzid", JAPAN.key)
    zone.add_component(standard)
    return zone


def _event(entry: CalendarEntry, found: CalendarFeed, portal_url: str) -> Event:
    event = Event()
    # The same day of the same thing stays the same event for the calendar, whatever was read since.
    event.add("uid", f"{entry.kind}-{entry.id}@{portal_url.partition('://')[2]}")
    event.add("dtstamp", found.read_at)
    event.add("dtstart", entry.on)
    event.add("dtend", entry.on + timedelta(days=1))
    event.add("summary", _(_WORDS[entry.kind]).format(name=entry.name))
    event.add("url", portal_url + path_for(_PATHS.get(entry.kind, "/subscriptions/{id}").format(id=entry.id)))
    event.add("transp", "TRANSPARENT")
    return event
