"""The wire to Salesforce's REST API: simple-salesforce in a bounded pool of threads, with our own login."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import requests
import urllib3
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.settings import Settings
from portal_app.integrations.http import correlation_headers, retry_after
from portal_app.integrations.salesforce.budget import DailyBudget
from portal_app.integrations.salesforce.errors import (
    VENDOR,
    DailyLimit,
    SalesforceRejected,
    SessionExpired,
    lost,
    translated,
)
from portal_app.integrations.salesforce.login import SalesforceLogin, SalesforceSession
from portal_app.integrations.salesforce.responses import (
    Record,
    checked_id,
    external_id_path,
    new_id_of,
    page_of,
    parts_of,
    record_of,
)
from portal_app.integrations.salesforce.transport import Sessions, Wire
from portal_app.integrations.throttling.vendor_call import VendorCall

T = TypeVar("T")
MOST_PAGES = 100
# Marks our own writes in change events.
_CALLER = {"Sforce-Call-Options": "client=portal"}
_NOT_SENT = (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL, requests.exceptions.SSLError)
_NOT_REACHED = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.NameResolutionError)


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a composite call; `path` begins below the API version, `name` may be referred to by later ones."""

    name: str
    method: str
    path: str
    body: Record | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def query(cls, name: str, template: str, **values: str | Sequence[str]) -> "Part":
        """Return a part that runs SOQL with bound values."""
        return cls(name, "GET", f"query?{urlencode({'q': format_soql(template, **values)})}")

    def as_json(self, base: str) -> dict[str, Any]:
        """Return the part as the composite resource takes it."""
        told: dict[str, Any] = {"referenceId": self.name, "method": self.method, "url": base + self.path}
        # A composite call passes none of its own headers on but Accept, Authorization and Content-Type.
        told["httpHeaders"] = {**_CALLER, **self.headers}
        return told if self.body is None else told | {"body": dict(self.body)}


class SalesforceClient:
    """Call one org. Every id is checked before it becomes part of an address, every value of a query is bound.

    `long_line` carries what may take long: files and wide queries.
    """

    def __init__(
        self, settings: Settings, login: SalesforceLogin, line: VendorCall, *, long_line: VendorCall | None = None
    ) -> None:
        self._settings = settings
        self._login = login
        self._line = line
        self._long_line = long_line or line
        self.budget = DailyBudget(line.limiter.redis, settings)
        self._threads = ThreadPoolExecutor(settings.sf_threads, thread_name_prefix="salesforce")
        self._sessions = Sessions(ca_file=settings.sf_ca_file)

    async def query(self, template: str, **values: str | int | Sequence[str]) -> list[Record]:
        """Run SOQL with bound values and return every row of every page; numbers with a point are Decimal."""
        return await self._rows(self._line, format_soql(template, **values))

    async def query_all(self, template: str, **values: str | Sequence[str]) -> list[Record]:
        """Run SOQL that finds deleted rows too, of one page."""
        soql = format_soql(template, **values)
        return page_of(await self._rest("query all", "GET", "queryAll", safe=True, params={"q": soql}))[0]

    async def wide_query(self, template: str, **values: str | int | Sequence[str] | datetime) -> list[Record]:
        """Run SOQL that may find very much, through the rate limiter of long calls."""
        return await self._rows(self._long_line, format_soql(template, **values))

    async def describe(self, kind: str) -> Record:
        """Return how the org describes an object to our user. Raises NotFound where it shows none."""
        found = await self._rest(f"describe {kind}", "GET", f"sobjects/{kind}/describe", safe=True)
        return record_of(f"describe {kind}", found)

    async def limits(self) -> Record:
        """Return the org's limits and what is left of each."""
        return record_of("limits", await self._rest("limits", "GET", "limits", safe=True))

    async def read(self, kind: str, record_id: str, fields: Sequence[str]) -> Record:
        """Return fields of one record. Raises NotFound."""
        path = f"sobjects/{kind}/{checked_id(record_id)}"
        found = await self._rest(f"read {kind}", "GET", path, safe=True, params={"fields": ",".join(fields)})
        return record_of(f"read {kind}", found)

    async def update(self, kind: str, record_id: str, values: Record) -> None:
        """Set fields of one record; repeating it changes nothing. Raises NotFound."""
        path = f"sobjects/{kind}/{checked_id(record_id)}"
        await self._rest(f"update {kind}", "PATCH", path, safe=True, json=dict(values))

    async def upsert(self, kind: str, field: str, value: str, values: Record) -> str:
        """Create or update the record with this external id and return its id. Safe to repeat.

        Raises SalesforceRejected with DUPLICATE_EXTERNAL_ID where several records have it.
        """
        path = external_id_path(kind, field, value)
        answer = await self._rest(f"upsert {kind}", "PATCH", path, safe=True, json=dict(values))
        if answer is None:  # versions before 46 say nothing after an update
            found = await self._rest(f"read {kind}", "GET", path, safe=True, params={"fields": "Id"})
            answer = {"id": record_of(f"read {kind}", found).get("Id")}
        return new_id_of(f"upsert {kind}", answer, safe=True)

    async def composite(self, operation: str, parts: Sequence[Part], *, safe: bool) -> dict[str, Record]:
        """Run parts in order, all or none, and return each part's body by its name.

        Raises the error of the part that failed: SalesforceRejected, NotFound, ExternalUnavailable, OutcomeUnknown.
        """
        base = f"/services/data/v{self._settings.sf_api_version}/"
        # Without this, parts may run in another order than written.
        body: dict[str, Any] = {"allOrNone": True, "collateSubrequests": False}
        body["compositeRequest"] = [part.as_json(base) for part in parts]

        def send(api: Salesforce) -> dict[str, Record]:
            answer = _rest(api, "POST", "composite", json=body)
            return parts_of(operation, answer, names=[part.name for part in parts], safe=safe)

        return await self._run(self._line, operation, send, safe=safe)

    async def long_call(self, operation: str, call: Callable[[Salesforce], T], *, safe: bool) -> T:
        """Run a call of the library's through the rate limiter of long calls."""
        return await self._run(self._long_line, operation, call, safe=safe)

    async def aclose(self) -> None:
        """Let running calls end and stop the threads."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _rows(self, line: VendorCall, soql: str) -> list[Record]:
        try:
            return await self._every_page(line, soql)
        except SalesforceRejected as error:
            if error.error_code != "INVALID_QUERY_LOCATOR":
                raise
        # The cursor ran out between two pages: from the beginning, once.
        return await self._every_page(line, soql)

    async def _every_page(self, line: VendorCall, soql: str) -> list[Record]:
        found: list[Record] = []
        following = ""
        for _ in range(MOST_PAGES):
            page = functools.partial(_page, soql=soql, url=following)
            rows, following = await self._run(line, "query", page, safe=True)
            found += rows
            if not following:
                return found
        raise ExternalUnavailable(f"query: more than {MOST_PAGES} pages", vendor=VENDOR)

    async def _rest(self, operation: str, method: str, path: str, *, safe: bool, **kwargs: Any) -> Any:
        return await self._run(self._line, operation, lambda api: _rest(api, method, path, **kwargs), safe=safe)

    async def _run(self, line: VendorCall, operation: str, call: Callable[[Salesforce], T], *, safe: bool) -> T:
        """Make one call, and once more with a new session where the old one was refused."""
        await self.budget.require_quota()
        used: list[SalesforceSession] = []

        async def once() -> T:
            session = await (self._login.renew(used.pop()) if used else self._login.session())
            try:
                return await self._in_thread(operation, session, call, line=line, safe=safe)
            except SessionExpired:
                used.append(session)
                raise

        try:
            return await line.run(operation, once, safe=safe)
        except SessionExpired:
            pass
        try:
            return await line.run(operation, once, safe=safe)
        except SessionExpired as error:
            self._login.discard(used.pop())
            raise ExternalUnavailable(f"{operation}: a fresh session was refused", vendor=VENDOR) from error

    async def _in_thread(
        self,
        operation: str,
        session: SalesforceSession,
        call: Callable[[Salesforce], T],
        *,
        line: VendorCall,
        safe: bool,
    ) -> T:
        wire, is_spent = Wire(line.timeout), False
        headers = {**correlation_headers(), **_CALLER}
        work = functools.partial(self._call, wire, session, headers, call)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except asyncio.CancelledError:
            wire.cut()
            raise
        except SalesforceError as error:
            asked = retry_after(wire.headers.get("Retry-After"))
            ours = translated(error, operation, safe=safe, asked=asked)
            is_spent = isinstance(ours, DailyLimit)
            # Not chained: the library's text quotes addresses and values that do not belong in a log.
            raise ours from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, RecursionError) as error:
            never_sent = isinstance(error, _NOT_SENT) or _is_not_reached(error)
            raise lost(f"{operation}: {type(error).__name__}", safe=safe or never_sent) from None
        finally:
            # The refusal's own header counts only what was accepted: it must not lift the refusal.
            await self.budget.record_usage(wire.headers.get("Sforce-Limit-Info"), is_spent=is_spent)

    def _call(
        self, wire: Wire, session: SalesforceSession, headers: dict[str, str], call: Callable[[Salesforce], T]
    ) -> T:
        with wire:
            api = Salesforce(
                session_id=session.token,
                instance_url=session.instance_url,
                session=self._sessions.for_instance(session.instance_url),
                version=self._settings.sf_api_version,
                parse_float=Decimal,
            )
            api.headers.update(headers)
            return call(api)


def _is_not_reached(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), _NOT_REACHED)


def _page(api: Salesforce, *, soql: str, url: str) -> tuple[list[Record], str]:
    if url:
        return page_of(api.query_more(url, identifier_is_url=True))
    return page_of(_rest(api, "GET", "query", params={"q": soql}))


def _rest(api: Salesforce, method: str, path: str, **kwargs: Any) -> Any:
    try:
        return api.restful(path, method=method, **kwargs)
    except TypeError as error:  # the library takes the length of any answer, a bare number's too
        raise requests.exceptions.InvalidJSONError("neither object nor list") from error
