"""Announcements that concern a customer: on the dashboard and above the form of a new question."""

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from portal_app.domain.errors import PortalError
from portal_app.domain.identifiers import our_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.domain.status.announcement import Announcement
from portal_app.language import Language, speaking
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import handler, language_of, report_errors
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal

_JAPANESE = {romanised: japanese for japanese, romanised in ROMANISED.items()}


@dataclass(frozen=True)
class Incident:
    """One announcement as its row shows it; `tone` as of messages."""

    id: str
    title: str
    text: str
    until: str
    tone: str
    is_followed: bool


class IncidentNotices(rx.State):
    """What is announced for this customer right now."""

    incidents: list[Incident] = []
    problem: str = ""
    loading: bool = False
    missing: bool = False
    setting_up: bool = False
    setting_up_note: str = ""
    shown: bool = True

    @report_errors
    async def refresh(self):
        """Read it again after a live change."""
        await self._fill()

    async def _fill(self) -> None:
        """Read what concerns this customer, together with the data of a page: shown later, it would push them down.

        Without anything announced nothing else is read; while nothing can be read, the last ones stay.
        """
        try:
            current = await portal().status.announcements.current()
        except PortalError:
            return
        self.incidents = await self._rows(current) if current else []

    @handler
    async def follow(self, announcement_id: str):
        """Be told once by mail when this is over."""
        await portal().status.announcements.follow(await self._user_id(), our_id(str(announcement_id)))
        self.incidents = await self._rows(await portal().status.announcements.current())

    @handler
    async def unfollow(self, announcement_id: str):
        """Take that back."""
        await portal().status.announcements.unfollow(await self._user_id(), our_id(str(announcement_id)))
        self.incidents = await self._rows(await portal().status.announcements.current())

    async def _user_id(self) -> UUID:
        return UUID((await self.get_state(PageSession))._user_id)

    async def _rows(self, current: list[Announcement]) -> list[Incident]:
        user_id, language = await self._user_id(), language_of(self)
        try:
            customer = await portal().identity.accounts.customer(user_id)
            categories, prefecture = await _concerns(customer, current)
            followed = await portal().status.announcements.followed(user_id)
        except PortalError:
            # What is known of the customer cannot be read: better one announcement too many.
            return [_row(item, language, is_followed=False) for item in current]
        shown = [item for item in current if item.is_for(categories, prefecture)]
        return [_row(item, language, is_followed=item.id in followed) for item in shown]


async def _concerns(customer: Customer, current: list[Announcement]) -> tuple[set[str], str]:
    """Return the categories of a customer's services, and the prefecture where an announcement asks for it."""
    summary = await portal().dashboard.summary.summary_for(customer)
    categories = {service.category for service in summary.services or () if service.is_live}
    if summary.services is None:
        categories = {"internet", "sim", "vpn"}
    prefecture = ""
    if any(item.areas for item in current):
        person = (await portal().profile.profiles.profile_for(customer)).person
        state = person.billing_address.state
        prefecture = person.address.prefecture if person.address else _JAPANESE.get(state, "")
    return set(categories), prefecture


def _row(item: Announcement, language: Language, *, is_followed: bool) -> Incident:
    words = item.in_language(language)
    latest = item.updates[-1].text.get(language, "") if item.updates else ""
    with speaking(language):
        until = time(item.until) if item.until else ""
    return Incident(
        id=str(item.id),
        title=words.title,
        text="\n".join(filter(None, (words.text, latest))),
        until=until,
        tone="attention",
        is_followed=is_followed,
    )
