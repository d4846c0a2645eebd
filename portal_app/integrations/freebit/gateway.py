"""What the portal asks of Freebit, in the portal's words: implements SimLines."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from portal_app.domain.errors import Conflict, ExternalUnavailable, NotFound, OutcomeUnknown, PortalError, Unreadable
from portal_app.domain.sim.line_change import NETWORK_WAITS_FOR, PLAN_WAITS_FOR, VOICE_WAITS_FOR
from portal_app.domain.sim.sim import (
    NetworkType,
    NewLine,
    Person,
    PortIn,
    SimLine,
    SimUsage,
    TopUp,
    VoiceOption,
    parse_eid,
    parse_sim_account,
)
from portal_app.infra.clock import now
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.freebit.codes import VENDOR, FreebitRejected
from portal_app.integrations.freebit.locks import Change, LineLocks
from portal_app.integrations.freebit.schemas import OFF, ON, Mapper, esim_kinds, port_in_fields, written
from portal_app.integrations.odd_rows import UNREADABLE, name_unreadable
from portal_app.models.line_change import ICCID_PLACE

_KIND = "MVNO"
_MOST_MB = 512_000
_NOBODY = "00000000000"
_CHECK_SECONDS = 5.0
_BY_US = {"aladinOperated": OFF}


class FreebitGateway:
    """SIM lines of one Freebit account."""

    def __init__(
        self, client: FreebitClient, settings: Settings, cache: Cache, locks: LineLocks, ring: KeyRing
    ) -> None:
        self._client = client
        self._settings = settings
        self._cache = cache
        self._locks = locks
        self._ring = ring
        self._esim_kinds = esim_kinds(settings)
        self._mapper = Mapper(
            settings.freebit_fields,
            usage_unit=settings.freebit_usage_unit,
            oldest_first=settings.freebit_usage_order == "oldest",
        )

    async def line(self, account: str) -> SimLine:
        """Return one line (PA03-02). Raises NotFound."""
        body = await self._client.call(op.DETAIL, self._detail_fields(_checked(account)))
        with _understood(op.DETAIL):
            return self._mapper.line(body, account)

    async def usage(self, account: str) -> SimUsage:
        """Return what a line used (PA05-01), read every few minutes at most for all callers. Raises NotFound."""
        name = self._ring.index(_checked(account), "freebit.usage").hex()
        seconds = self._settings.freebit_usage_seconds

        async def read() -> dict[str, Any]:
            body = await self._client.call(op.USAGE, {"account": account})
            with _understood(op.USAGE):
                return asdict(self._mapper.usage(body))

        kept = await self._cache.get_or_set(f"freebit-usage:{name}", read, seconds=seconds)
        return SimUsage(**{**kept, "recent_days_bytes": tuple(kept["recent_days_bytes"])})

    async def top_ups(self, account: str) -> list[TopUp]:
        """Return the data added to a line (PA05-02). Raises NotFound."""
        body = await self._history(account)
        with _understood(op.DATA_HISTORY):
            return self._mapper.top_ups(body)

    async def activate_physical(self, new: NewLine) -> None:
        """Register a line on a SIM in stock (PA02-01, with PA05-18 before it where the settings say so)."""
        fields = _registration(new)

        async def send() -> None:
            if self._settings.freebit_preregister:
                await self._client.call(op.ANNOUNCE, fields)
            await self._client.call(op.REGISTER, fields)

        await self._activate(new, send)

    async def activate_ported(self, new: NewLine, port_in: PortIn) -> None:
        """Register a number brought along on a SIM in stock (PA05-19)."""
        fields = _registration(new) | port_in_fields(port_in, method=ON)
        await self._activate(new, self._sending(op.REGISTER_PORTED, fields))

    async def activate_esim(self, new: NewLine, *, eid: str, port_in: PortIn | None = None) -> None:
        """Register a line on an eSIM (PA05-41, N or M). Raises ValueError for an EID that cannot be."""
        own = {"eid": parse_eid(eid), "simKind": self._esim_kinds[new.plan_kind], **_BY_US}
        fields = _registration(new) | own | {"addKind": "M" if port_in else "N"}
        if port_in:
            fields |= port_in_fields(port_in)
        await self._activate(new, self._sending(op.ESIM, fields))

    async def note_failed_opening(self, account: str) -> None:
        """Release what an opening locked that came to nothing: Freebit works on nothing of this line any more."""
        await self._locks.release(account, ("activate", *self._voice_change.holds))

    async def reissue_esim(self, account: str, *, eid: str) -> None:
        """Make a new profile (PA05-41, R). Raises LineLocked, Conflict, ValueError.

        The plan stays, so no simKind goes with it. What is replaced stands in a nested object, as a number brought
        along does.
        """
        line, new_eid = await self._living(account), parse_eid(eid)
        old = {"oldEid": line.eid, "oldProductNumber": line.product_number}
        old = {name: value for name, value in old.items() if value}
        fields = {"account": account, "eid": new_eid, "planCode": line.plan_code, "addKind": "R", **_BY_US}
        wanted = {"iccid_other_than": self._ring.index(line.iccid, ICCID_PLACE).hex()}
        change = self._change("reissue", waits_for=("network", "reissue"), wanted=wanted)
        async with self._locks.held(account, change):
            await self._client.call(op.ESIM, fields | ({"reissue": old} if old else {}))

    async def register_voice(self, account: str, options: Mapping[VoiceOption, bool], person: Person) -> None:
        """Register voice options of a new line and whose it is (PA05-05). Raises LineLocked."""
        fields = self._voice_fields(account, options) | self._mapper.person(person)
        async with self._locks.held(account, self._voice_change):
            await self._client.call(op.REGISTER_VOICE, fields)

    async def change_voice(self, account: str, options: Mapping[VoiceOption, bool]) -> None:
        """Switch some voice options (PA05-06); only those that differ are sent. Raises LineLocked, Conflict."""
        line = await self._living(account)
        changed = {name: wanted for name, wanted in options.items() if line.voice.get(name) is not wanted}
        if changed:
            wanted: dict[str, str] = {name: "on" if is_on else "off" for name, is_on in changed.items()}
            async with self._locks.held(account, replace(self._voice_change, wanted=wanted)):
                await self._client.call(op.CHANGE_VOICE, self._voice_fields(account, changed))

    async def change_network(self, account: str, network: NetworkType) -> None:
        """Change between 4G and 5G (PA05-38). Raises LineLocked, Conflict."""
        line = await self._living(account)
        if line.network != network:
            change = self._change(
                "network",
                waits_for=NETWORK_WAITS_FOR,
                seconds=self._settings.freebit_lock_seconds,
                wanted={"network": network},
            )
            async with self._locks.held(account, change):
                await self._client.call(op.CHANGE_NETWORK, {"account": account, "contractLine": network})

    async def change_plan(self, account: str, plan_code: str, *, starts_on: date | None = None) -> None:
        """Change the plan at once or on a day (PA05-21). Raises LineLocked, Conflict."""

        async def is_done() -> bool:
            line = await self._living(account)
            if starts_on is None:
                return line.plan_code == plan_code
            return (line.next_plan_code, line.next_plan_on) == (plan_code, starts_on)

        fields = {"account": account, "planCode": plan_code, "globalIp": OFF}
        fields |= {"runTime": written(starts_on)} if starts_on else {}
        wanted = {"next_plan": plan_code, "next_plan_on": starts_on.isoformat()} if starts_on else {"plan": plan_code}
        change = self._change("plan", waits_for=PLAN_WAITS_FOR, wanted=wanted)
        await self._once(account, change, is_done, self._sending(op.CHANGE_PLAN, fields))

    async def add_data(self, account: str, megabytes: int, *, reference: str, expires_on: date | None = None) -> None:
        """Add data once per reference (PA04-04), which Freebit keeps as quotaCode. Raises ValueError, NotFound."""
        if not 1 <= megabytes <= _MOST_MB or not 1 <= len(reference) <= 512:
            raise ValueError("megabytes or reference out of bounds")

        async def is_done() -> bool:
            body = await self._history(account)
            with _understood(op.DATA_HISTORY):
                return self._mapper.has_top_up(body, reference)

        fields = {"kind": _KIND, "account": account, "quota": str(megabytes), "quotaCode": reference}
        fields |= {"expire": written(expires_on)} if expires_on else {}
        click = f"data-{self._ring.index(reference, 'freebit.reference').hex()[:16]}"
        change = self._change(click, waits_for=(click,))
        await self._once(account, change, is_done, self._sending(op.ADD_DATA, fields))

    async def cancel(self, account: str, *, ends_on: date | None = None) -> None:
        """End a line at once or on a day (PA02-04). Raises LineLocked, NotFound."""

        async def is_done() -> bool:
            line = await self.line(account)
            return line.ends_on is not None or line.state == "obsolete"

        fields = {"kind": _KIND, "account": account} | ({"runDate": written(ends_on)} if ends_on else {})
        change = self._change("cancel", waits_for=("network", "cancel"))
        await self._once(account, change, is_done, self._sending(op.CANCEL, fields))

    async def last_answered_at(self) -> datetime:
        """Return when Freebit last answered us, as of a moment ago; all callers share one request.

        Once any call has failed it is asked at once. Raises ExternalUnavailable.
        """

        async def ask() -> str:
            # A line that cannot exist: a refusal is an answer too.
            with suppress(NotFound, FreebitRejected):
                await self._client.call(op.DETAIL, self._detail_fields(_NOBODY))
            return now().isoformat()

        kept = "freebit-check" if await self._client.has_been_well() else "freebit-check-again"
        seconds = self._settings.freebit_check_seconds if kept == "freebit-check" else 0
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return datetime.fromisoformat(await self._cache.get_or_set(kept, ask, seconds=seconds))
        except TimeoutError as error:
            raise ExternalUnavailable("check: no answer", vendor=VENDOR) from error

    async def _activate(self, new: NewLine, send: Callable[[], Awaitable[None]]) -> None:
        async def is_done() -> bool:
            try:
                return (await self.line(new.account)).exists
            except NotFound:
                return False

        await self._once(new.account, self._change("activate", waits_for=("activate",)), is_done, send)

    async def _once(
        self,
        account: str,
        change: Change,
        is_done: Callable[[], Awaitable[bool]],
        send: Callable[[], Awaitable[None]],
    ) -> None:
        """Send unless it is done already; after a lost answer, read the state before raising OutcomeUnknown."""
        if await is_done():
            return
        async with self._locks.held(account, change):
            try:
                await send()
            except OutcomeUnknown as unknown:
                if not await _found(is_done, unknown):
                    raise

    def _sending(self, operation: op.Operation, fields: Mapping[str, Any]) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            await self._client.call(operation, fields)

        return send

    async def _living(self, account: str) -> SimLine:
        line = await self.line(account)
        if line.state != "active" or line.ends_on is not None:
            raise Conflict(f"line is {line.state}", user_message="This line is not active, or it is about to end.")
        return line

    async def _history(self, account: str) -> dict[str, Any]:
        return await self._client.call(op.DATA_HISTORY, {"account": _checked(account)})

    def _detail_fields(self, account: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"requestDatas": [{"kind": _KIND, "account": account}]}
        if self._settings.freebit_version:
            fields["version"] = self._settings.freebit_version
        return fields

    def _voice_fields(self, account: str, options: Mapping[VoiceOption, bool]) -> dict[str, Any]:
        talk = self._mapper.voice_options(options)
        return {"account": _checked(account), "userConfirmed": ON, "talkOption": talk, **_BY_US}

    def _change(
        self,
        kind: str,
        *,
        waits_for: tuple[str, ...],
        seconds: int | None = None,
        wanted: Mapping[str, str] | None = None,
    ) -> Change:
        held = self._settings.freebit_pending_seconds if seconds is None else seconds
        return Change(waits_for, {kind: held}, wanted)

    @property
    def _voice_change(self) -> Change:
        own = self._settings
        holds = {"voice-order": own.freebit_pending_seconds, "voice": own.freebit_lock_seconds}
        return Change(VOICE_WAITS_FOR, holds)


def _checked(account: str) -> str:
    if parse_sim_account(account) != account:
        raise ValueError("write the number of a line as digits only")
    return account


def _registration(new: NewLine) -> dict[str, Any]:
    fields = {"createType": "new", "account": new.account, "planCode": new.plan_code, "contractLine": new.network}
    return fields | ({"productNumber": new.product_number} if new.product_number else {})


async def _found(is_done: Callable[[], Awaitable[bool]], unknown: OutcomeUnknown) -> bool:
    try:
        return await is_done()
    except PortalError as error:
        raise unknown from error


@contextmanager
def _understood(operation: op.Operation) -> Iterator[None]:
    """Turn a value that cannot be read into Unreadable: only reads are read."""
    try:
        yield
    except UNREADABLE as error:
        name_unreadable(VENDOR, operation.spec, "", error)
        detail = f"{operation.spec}: an answer we cannot read ({type(error).__name__})"
        raise Unreadable(detail, vendor=VENDOR) from error
