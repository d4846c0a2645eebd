"""Which notices a customer gets, and the link to their calendar."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from portal_app.domain.notifications.preference import MANDATORY, TOPICS, Topic, TopicPreference
from portal_app.language import _
from portal_app.language.format import day
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_TOPICS: dict[Topic, tuple[str, str]] = {
    "orders": ("Orders", "Received, accepted or not, ready to use."),
    "services": (
        "Your services",
        "Cancellations: scheduled, withdrawn, done. Data of SIM lines: your alerts, and what was bought.",
    ),
    "billing": (
        "Invoices",
        "A few days before they are due, and when they are overdue. Your alerts on what top-ups cost.",
    ),
    "cards": ("Cards", "When a stored card is about to expire."),
    "support": ("Support", "When our team answers your questions."),
    "security": ("Security", "New devices, changed passwords, second steps, addresses."),
}


@dataclass(frozen=True)
class ChoiceRow:
    """One topic; a choice that cannot be turned off is locked."""

    topic: str
    title: str
    text: str
    portal: bool
    mail: bool
    portal_locked: bool
    mail_locked: bool


class NotificationsPage(PageState, rx.State):
    """The topics, and whether there is a calendar link; the link itself is here only while it is shown."""

    rows: list[ChoiceRow] = []
    note: str = ""
    form_version: int = 0
    calendar_since: str = ""
    calendar_link: str = ""

    async def _open_page(self) -> None:
        """Read the page; a link that was shown once is gone."""
        self.note, self.calendar_link = "", ""
        await self._read_page()

    @handler
    async def save(self, form: dict[str, Any]):
        """Save the ticked choices."""
        names = [f"{way}-{topic}" for topic in TOPICS for way in ("portal", "mail")]
        entries = typed(form, *names)
        wanted = [(topic, _ticked(entries, topic, "portal"), _ticked(entries, topic, "mail")) for topic in TOPICS]
        await portal().notifications.preferences.change(await self._user_id(), wanted)
        self.note = _("Saved.")
        await self._read_page()

    @handler
    async def make_link(self):
        """Make a new link after a recent proof of identity, and show it once."""
        token = await portal().dashboard.calendar_feed.renew(await self._user_id(), await self._session_id())
        self.calendar_link = f"{portal().settings.portal_url}/calendar/{token}.ics"
        self.note = ""
        await self._read_page()

    @handler
    async def end_link(self):
        """End the link."""
        await portal().dashboard.calendar_feed.revoke(await self._user_id())
        self.calendar_link, self.note = "", ""
        await self._read_page()

    async def _read_page(self) -> None:
        user_id = await self._user_id()
        self.rows = [_row(choice) for choice in await portal().notifications.preferences.choices_for(user_id)]
        made_at = await portal().dashboard.calendar_feed.made_at(user_id)
        self.calendar_since = day(made_at.date()) if made_at else ""
        self.form_version += 1


def _ticked(entries: dict[str, str], topic: Topic, way: str) -> bool | None:
    """Return whether a box is ticked, None for one that cannot be turned off: it is never sent."""
    return None if (topic, way) in MANDATORY else entries[f"{way}-{topic}"] == "on"


def _row(choice: TopicPreference) -> ChoiceRow:
    title, text = _TOPICS[choice.topic]
    return ChoiceRow(
        topic=choice.topic,
        title=_(title),
        text=_(text),
        portal=choice.portal,
        mail=choice.mail,
        portal_locked=(choice.topic, "portal") in MANDATORY,
        mail_locked=(choice.topic, "mail") in MANDATORY,
    )
