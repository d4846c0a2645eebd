"""REST resources of queries: the answer page by page, under cursors that grow stale."""

import secrets
from datetime import timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.query import soql
from sandbox.salesforce.rows import Rows
from sandbox.store import Store

_KIND = "salesforce:cursor"
_SMALLEST_PAGE, _LARGEST_PAGE = 200, 2000
_CURSOR_LIFE = timedelta(minutes=15)
_OPEN_CURSORS = 10


class Queries:
    """Answer /query, /queryAll and their next pages."""

    def __init__(self, rows: Rows, store: Store, clock: Clock, faults: Faults) -> None:
        self._faults = faults
        self._rows = rows
        self._store = store
        self._clock = clock

    def query(self, call: Call) -> Answer:
        """Answer the first page of a query."""
        text = call.query.get("q", "")
        if not text.strip():
            raise SalesforceError("MALFORMED_QUERY", "SOQL statements cannot be empty or null")
        deleted_too = call.path[0].lower() == "queryall"
        found = soql.run(self._rows.tables, self._clock.now(), text, deleted_too=deleted_too, api_path=call.api_path)
        size = 2 if self._faults.take_special("salesforce", "small_pages") else _page_size(call)
        if len(found.records) <= size:
            return Answer(200, {"totalSize": found.total, "done": True, "records": found.records})
        cursor = self._keep(found.records, size)
        return Answer(200, _page(call, cursor, found.records, 0, size))

    def next_page(self, call: Call) -> Answer:
        """Answer a later page, named by cursor and offset."""
        cursor, _, offset = call.path[1].rpartition("-")
        kept = self._store.get(_KIND, cursor)
        now = self._clock.now().timestamp()
        if kept is None or not offset.isdecimal() or now - kept["used_at"] > _CURSOR_LIFE.total_seconds():
            raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        self._store.put(_KIND, cursor, kept | {"used_at": now})
        return Answer(200, _page(call, cursor, kept["records"], int(offset), kept["size"]))

    def _keep(self, records: list[dict[str, Any]], size: int) -> str:
        for old in self._store.all(_KIND)[: 1 - _OPEN_CURSORS]:
            self._store.delete(_KIND, old["id"])
        cursor = f"01gxx{secrets.token_hex(5)}AAA"
        body = {"id": cursor, "records": records, "size": size, "used_at": self._clock.now().timestamp()}
        self._store.put(_KIND, cursor, body)
        return cursor


def _page(call: Call, cursor: str, records: list[dict[str, Any]], start: int, size: int) -> dict[str, Any]:
    end = start + size
    page: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records), "records": records[start:end]}
    if not page["done"]:
        page["nextRecordsUrl"] = f"{call.api_path}/query/{cursor}-{end}"
    return page


def _page_size(call: Call) -> int:
    for option in call.headers.get("sforce-query-options", "").split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdecimal():
            return min(max(int(value), _SMALLEST_PAGE), _LARGEST_PAGE)
    return _LARGEST_PAGE
