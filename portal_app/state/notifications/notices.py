"""The list of a customer's notices."""

from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.errors import InvalidInput
from portal_app.domain.notifications.notice import Notice
from portal_app.language import _, path_for
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.notice_count import NoticeCount
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_WORDS = {
    "order_received": "We have your order",
    "order_needs_card": "Add a payment method: your order waits for it",
    "order_active": "Your service is ready",
    "order_not_accepted": "We could not accept your order",
    "order_needs_identity": "Your order waits until your identity is verified",
    "identity_verified": "Your identity is verified",
    "identity_rejected": "We could not accept your identity document: send another one",
    "address_available": "Internet is available at your address",
    "address_unavailable": "Internet is not available at your address",
    "cancellation_scheduled": "Your cancellation is scheduled",
    "cancellation_withdrawn": "You keep your service: the cancellation is withdrawn",
    "cancellation_ended": "Your service has ended",
    "cancellation_refused": "Our team sees to your cancellation",
    "line_change_failed": "The carrier did not carry out a change of your SIM line",
    "line_changed": "Your SIM line is changed",
    "line_order_with_team": "Our team sees to the bill of a change of your SIM line",
    "plan_change_held": "Your plan change is noted",
    "plan_change_withdrawn": "You keep your plan: the change is withdrawn",
    "plan_changed": "You have a new plan",
    "top_up_done": "The data you bought are on your line",
    "top_up_confirm": "Your card did not take the charge: pay the top-up with confirmation",
    "top_up_stopped": "A top-up was stopped",
    "top_up_with_team": "Our team sees to a top-up of yours",
    "line_alert_left": "Your alert: data left on your SIM line",
    "line_alert_forecast": "Your alert: the data of your SIM line will most likely run out before the month ends",
    "line_alert_spend": "Your alert: top-ups of this month",
    "auto_top_up_done": "Data were bought for your SIM line by themselves",
    "auto_top_up_off": "Automatic top-up of your SIM line is off",
    "auto_top_up_cap": "Your SIM line's limit for top-ups is reached: nothing more is bought by itself this month",
    "invoice_due": "An invoice is due soon",
    "invoice_overdue": "An invoice is overdue",
    "card_expires": "A card expires soon",
    "case_answered": "Our team replied to your case",
    "order_stopped": "Something stopped your order; our team looks into it",
}


@dataclass(frozen=True)
class NoticeItem:
    """One notice; `name` is what its button sends back."""

    name: str
    title: str
    subject: str
    at: str
    href: str
    is_read: bool


class NoticesPage(PageState, rx.State):
    """The newest notices first; a button shows more."""

    topics: ClassVar[frozenset[str]] = frozenset({"notices"})

    rows: list[NoticeItem] = []
    has_more: bool = False
    has_unread: bool = False

    async def _open_page(self) -> None:
        self.rows = []
        await self._read_page()

    @handler
    async def show_more(self):
        """Read on where the last page ended."""
        if self.has_more:
            await self._read_from(len(self.rows))

    @handler
    async def mark_read(self, name: str):
        """Mark one notice as read."""
        kind, separator, source_id = name.partition("/") if isinstance(name, str) else ("", "", "")
        if not (separator and kind and source_id):
            raise InvalidInput({"name": "Choose a message of this list."})
        await portal().notifications.notices.mark_read(await self._user_id(), kind, source_id)
        await self._read_page()

    @handler
    async def mark_all_read(self):
        """Mark every notice as read."""
        await portal().notifications.notices.mark_read(await self._user_id())
        await self._read_page()

    async def _read_page(self) -> None:
        await self._read_from(0)

    async def _read_from(self, offset: int) -> None:
        found, self.has_more = await portal().notifications.notices.latest(await self._user_id(), offset=offset)
        self.rows = [*self.rows[:offset], *[_item(notice) for notice in found]]
        bell = await self.get_state(NoticeCount)
        await bell.refresh()
        self.has_unread = bell.unread > 0


def _item(notice: Notice) -> NoticeItem:
    return NoticeItem(
        name=f"{notice.kind}/{notice.source_id}",
        title=_(_WORDS.get(notice.kind, "Something changed")),
        subject=notice.subject,
        at=time(notice.at),
        href=path_for(notice.path),
        is_read=notice.is_read,
    )
