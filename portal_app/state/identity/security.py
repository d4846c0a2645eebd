"""The account's protection: two-step sign-in, passkeys and devices. Changes ask for a recent proof first."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import reflex as rx
import segno

from portal_app.domain.errors import InvalidInput, NotFound
from portal_app.domain.identifiers import our_id
from portal_app.domain.identity.mfa import Device, PasskeyView
from portal_app.language import _
from portal_app.language.format import day, time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.question import new_question
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class PasskeyRow:
    """One passkey of the list."""

    id: str
    name: str
    note: str


@dataclass(frozen=True)
class DeviceRow:
    """One device of the list."""

    id: str
    name: str
    note: str
    is_current: bool


class SecurityPage(PageState, rx.State):
    """Keys and recovery codes are here only while they are shown."""

    two_step_on: bool = False
    two_step_note: str = ""
    qr: str = ""
    key: str = ""
    code_error: str = ""
    codes: list[str] = []
    codes_file: str = ""
    passkeys: list[PasskeyRow] = []
    adding: str = ""
    chosen: str = ""
    chosen_name: str = ""
    name_error: str = ""
    question: str = ""
    devices: list[DeviceRow] = []

    async def _open_page(self) -> None:
        """Read the page; keys and codes that were shown once are gone."""
        self._hide_secrets()
        await self._read_page()

    @handler
    async def begin_two_step(self):
        """Show a new key for an authenticator app."""
        await portal().identity.totp.begin_enrolment(*await self._account())
        enrolment = await portal().identity.totp.pending_enrolment(*await self._account())
        self.key = " ".join(enrolment.key[at : at + 4] for at in range(0, len(enrolment.key), 4))
        self.qr = segno.make(enrolment.address, error="m").svg_data_uri(scale=5, border=3, light="white")
        self.code_error = ""

    @handler
    async def turn_on(self, form: dict[str, Any]):
        """Turn two-step sign-in on with the app's first code."""
        try:
            codes = await portal().identity.totp.turn_on(*await self._account(), str(form.get("code", ""))[:50])
        except InvalidInput as error:
            self.code_error = _(error.fields["code"])
            return
        self._hide_secrets()
        self._show_codes(codes)
        await self._read_page()

    @handler
    async def renew_codes(self):
        """Show new recovery codes in place of the old ones."""
        self._show_codes(await portal().identity.totp.renew_codes(*await self._account()))
        await self._read_page()

    @handler
    async def turn_off(self):
        """Turn two-step sign-in off."""
        await portal().identity.totp.turn_off(*await self._account())
        self._hide_secrets()
        await self._read_page()

    @handler
    async def close(self):
        """Hide a key or codes that are shown once."""
        self._hide_secrets()

    @handler
    async def add_passkey(self):
        """Let the page's script create a passkey, once the proof of identity is recent."""
        await portal().identity.sessions.require_recent(await self._session_id())
        self.adding = new_question()

    @handler
    async def passkey_added(self):
        """Show what the script has added."""
        self.adding = ""
        await self._read_page()

    @handler
    async def choose(self, passkey_id: str):
        """Open one passkey to rename or remove it."""
        row = next((row for row in self.passkeys if row.id == passkey_id), None)
        if row is not None:
            self.chosen, self.chosen_name, self.name_error = row.id, row.name, ""
            self.question = new_question()

    @handler
    async def rename(self, form: dict[str, Any]):
        """Give the chosen passkey another name."""
        try:
            with suppress(NotFound):
                await portal().identity.passkeys.rename(
                    *await self._account(), our_id(self.chosen), str(form.get("name", ""))[:200]
                )
        except InvalidInput as error:
            self.name_error = _(error.fields["name"])
            return
        self.question = ""
        await self._read_page()

    @handler
    async def remove(self):
        """Remove the chosen passkey."""
        # Removed in another tab meanwhile: the list shows it.
        with suppress(NotFound):
            await portal().identity.passkeys.remove(*await self._account(), our_id(self.chosen))
        await self._read_page()

    @handler
    async def sign_out_device(self, session_id: str):
        """Sign one device out."""
        # Ended by itself meanwhile: the list shows it.
        with suppress(NotFound):
            await portal().identity.devices.sign_out(await self._user_id(), our_id(session_id))
        await self._read_page()

    @handler
    async def sign_out_others(self):
        """Sign every other device out."""
        await portal().identity.devices.sign_out_others(*await self._account())
        await self._read_page()

    async def _account(self) -> tuple[UUID, UUID]:
        return await self._user_id(), await self._session_id()

    async def _read_page(self) -> None:
        user_id, session_id = await self._account()
        view = await portal().identity.totp.status(user_id)
        self.two_step_on = view.since is not None
        words = _("On since {day}. Recovery codes left: {count}.")
        self.two_step_note = words.format(day=day(view.since.date()), count=view.codes_left) if view.since else ""
        self.passkeys = [_passkey_row(each) for each in await portal().identity.passkeys.passkeys_of(user_id)]
        self.devices = [_device_row(each) for each in await portal().identity.devices.devices_of(user_id, session_id)]

    def _show_codes(self, codes: list[str]) -> None:
        self.codes = codes
        self.codes_file = "data:text/plain;charset=utf-8," + quote("\n".join(codes) + "\n")

    def _hide_secrets(self) -> None:
        self.qr = self.key = self.code_error = self.codes_file = ""
        self.codes, self.adding = [], ""


def _passkey_row(view: PasskeyView) -> PasskeyRow:
    added = _("Added {day}").format(day=day(view.created_at.date()))
    used = _("last used {time}").format(time=time(view.used_at)) if view.used_at else _("not used yet")
    return PasskeyRow(str(view.id), view.name, f"{added} · {used}")


def _device_row(device: Device) -> DeviceRow:
    used = _("Last used {time}").format(time=time(device.used_at))
    note = f"{device.network} · {used}" if device.network else used
    return DeviceRow(str(device.session_id), device.browser or _("Unknown browser"), note, device.is_current)
