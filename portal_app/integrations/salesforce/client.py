"""The wire to Salesforce's REST API: simple-salesforce in a bounded pool of threads, with our own login."""

import asyncio
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

import requests
import urllib3
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.identifiers import salesforce_id
from portal_app.infra.settings import Settings
from portal_app.integrations.http import correlation_headers
from portal_app.integrations.line import VendorLine
from portal_app.integrations.salesforce.faults import VENDOR, SessionExpired, lost, refusal, translated
from portal_app.integrations.salesforce.login import SalesforceLogin, SalesforceSession
from portal_app.integrations.salesforce.transport import Sessions

T = TypeVar("T")
Record = Mapping[str, Any]
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
    body: Record


class SalesforceClient:
    """Call one org. Every id is checked before it becomes part of an address."""

    def __init__(self, settings: Settings, login: SalesforceLogin, line: VendorLine) -> None:
        self._settings = settings
        self._login = login
        self._line = line
        self._threads = ThreadPoolExecutor(settings.sf_threads, thread_name_prefix="salesforce")
        self._sessions = Sessions(ca_file=settings.sf_ca_file, timeout=settings.sf_timeout)

    async def query(self, template: str, **values: str | int | Sequence[str]) -> list[Record]:
        """Run SOQL with bound values and return every row of every page; numbers with a point are Decimal."""
        soql = format_soql(template, **values)
        return await self._run("query", lambda api: _all_pages(api, soql), safe=True)

    async def read(self, kind: str, record_id: str, fields: Sequence[str]) -> Record:
        """Return fields of one record. Raises NotFound."""
        path = f"sobjects/{kind}/{checked_id(record_id)}"
        found = await self._rest(f"read {kind}", "GET", path, safe=True, params={"fields": ",".join(fields)})
        if not isinstance(found, Mapping):
            raise ExternalUnavailable(f"read {kind}: no record", vendor=VENDOR)
        return found

    async def update(self, kind: str, record_id: str, values: Record) -> None:
        """Set fields of one record; repeating it changes nothing. Raises NotFound."""
        path = f"sobjects/{kind}/{checked_id(record_id)}"
        await self._rest(f"update {kind}", "PATCH", path, safe=True, json=dict(values))

    async def composite(self, operation: str, parts: Sequence[Part], *, safe: bool) -> dict[str, Record]:
        """Run parts in order, all or none, and return each part's body by its name.

        Raises the error of the part that failed: SalesforceRejected, NotFound, ExternalUnavailable, OutcomeUnknown.
        """
        base = f"/services/data/v{self._settings.sf_api_version}/"
        wanted = [
            {"referenceId": part.name, "method": part.method, "url": base + part.path, "body": dict(part.body)}
            for part in parts
        ]
        body = {"allOrNone": True, "compositeRequest": wanted}

        def send(api: Salesforce) -> dict[str, Record]:
            return _parts_of(operation, _rest(api, "POST", "composite", json=body), safe=safe)

        return await self._run(operation, send, safe=safe)

    async def aclose(self) -> None:
        """Let running calls end and stop the threads."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def _rest(self, operation: str, method: str, path: str, *, safe: bool, **kwargs: Any) -> Any:
        return await self._run(operation, lambda api: _rest(api, method, path, **kwargs), safe=safe)

    async def _run(self, operation: str, call: Callable[[Salesforce], T], *, safe: bool) -> T:
        async def once() -> T:
            session = await self._login.session()
            try:
                return await self._in_thread(operation, session, call, safe=safe)
            except SessionExpired:
                session = await self._login.renew(session)
            try:
                return await self._in_thread(operation, session, call, safe=safe)
            except SessionExpired as error:
                detail = f"{operation}: a fresh session was refused"
                raise ExternalUnavailable(detail, vendor=VENDOR) from error

        return await self._line.run(operation, once, safe=safe)

    async def _in_thread(
        self, operation: str, session: SalesforceSession, call: Callable[[Salesforce], T], *, safe: bool
    ) -> T:
        headers = {**correlation_headers(), **_CALLER}
        work = functools.partial(self._call, operation, session, headers, call, safe)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _call(
        self,
        operation: str,
        session: SalesforceSession,
        headers: dict[str, str],
        call: Callable[[Salesforce], T],
        safe: bool,
    ) -> T:
        api = Salesforce(
            session_id=session.token,
            instance_url=session.instance_url,
            session=self._sessions.for_instance(session.instance_url),
            version=self._settings.sf_api_version,
            parse_float=Decimal,
        )
        api.headers.update(headers)
        try:
            return call(api)
        except SalesforceError as error:
            # Not chained: the library's text quotes addresses and values that do not belong in a log.
            raise translated(error, operation, safe=safe) from None
        except (requests.RequestException, json.JSONDecodeError) as error:
            never_sent = isinstance(error, _NOT_SENT) or _is_not_reached(error)
            raise lost(f"{operation}: {type(error).__name__}", safe=safe or never_sent) from None


def checked_id(record_id: str) -> str:
    """Return an id fit for an address. Raises NotFound, so that a guess learns nothing."""
    try:
        return salesforce_id(record_id)
    except ValueError as error:
        raise NotFound("not a Salesforce id") from error


def external_id_path(kind: str, field: str, value: str) -> str:
    """Return the path of a record by an external id, with every special character encoded."""
    return f"sobjects/{kind}/{field}/{quote(value, safe='')}"


def _is_not_reached(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), _NOT_REACHED)


def _rest(api: Salesforce, method: str, path: str, **kwargs: Any) -> Any:
    try:
        return api.restful(path, method=method, **kwargs)
    except TypeError as error:  # the library takes the length of any answer, a bare number's too
        raise requests.exceptions.InvalidJSONError("neither object nor list") from error


def _all_pages(api: Salesforce, soql: str) -> list[Record]:
    found: list[Record] = []
    page = _rest(api, "GET", "query", params={"q": soql})
    for _ in range(MOST_PAGES):
        found += _records(page)
        following = page.get("nextRecordsUrl")
        if not following:
            return found
        page = api.query_more(str(following), identifier_is_url=True)
    raise ExternalUnavailable(f"query: more than {MOST_PAGES} pages", vendor=VENDOR)


def _records(page: Any) -> list[Record]:
    rows = page.get("records") if isinstance(page, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ExternalUnavailable("query: no records in the answer", vendor=VENDOR)
    return rows


def _parts_of(operation: str, answer: Any, *, safe: bool) -> dict[str, Record]:
    try:
        parts = [
            (str(part["referenceId"]), int(part["httpStatusCode"]), part["body"])
            for part in answer["compositeResponse"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise lost(f"{operation}: an answer we cannot read", safe=safe) from error
    failed = [body[0] for _, status, body in parts if status >= 300 and isinstance(body, list) and body]
    if any(status >= 300 for _, status, _ in parts):
        # The parts that were undone say only that another one failed.
        causes = [told for told in failed if told.get("errorCode") != "PROCESSING_HALTED"] or failed or [{}]
        raise refusal(operation, causes[0], safe=safe)
    return {name: body if isinstance(body, Mapping) else {} for name, _, body in parts}
