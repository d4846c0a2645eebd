"""Which handler answers which REST resource, and by what name faults know the operation."""

from dataclasses import dataclass, replace

from sandbox.salesforce.bus import managed
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.calls import Answer, Call, Handler, refused
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.objects import find_object
from sandbox.salesforce.rest import describe
from sandbox.salesforce.rest.collections_resource import Collections
from sandbox.salesforce.rest.composite import Composite
from sandbox.salesforce.rest.creation import Creation
from sandbox.salesforce.rest.files import Files
from sandbox.salesforce.rest.queries import Queries
from sandbox.salesforce.rest.replication import Replication
from sandbox.salesforce.rest.row_resources import RowResources
from sandbox.salesforce.rest.tree_resource import Tree
from sandbox.salesforce.rest.usage import Usage
from sandbox.salesforce.rows import Rows
from sandbox.store import Store

# What carries other calls is not locked itself: its parts are.
_CARRIERS = (("composite",), ("composite", "batch"), ("composite", "graph"))
_LOCKED = "unable to obtain exclusive access to this record or 1 records: "


@dataclass(frozen=True)
class _Route:
    """A method and a path of segments (`*` any one, `**` one or more at the end) with its handler."""

    method: str
    path: tuple[str, ...]
    operation: str
    handler: Handler
    writes: bool = False

    def fits(self, path: tuple[str, ...]) -> bool:
        open_end = self.path[-1:] == ("**",)
        if len(path) < len(self.path) or (len(path) > len(self.path) and not open_end):
            return False
        return all(
            wanted in ("*", "**") or wanted == given.lower() for wanted, given in zip(self.path, path, strict=False)
        )


class Resources:
    """Answer any call below /services/data/vXX.X."""

    def __init__(self, rows: Rows, queries: Queries, bus: Bus, store: Store, usage: Usage) -> None:
        files = Files(rows, store)
        creation = Creation(rows, bus, files)
        collections = Collections(rows, creation)
        composite = Composite(rows, self.handle)
        replication = Replication(rows)
        limits = bus.allocations.limits
        self._routes = [
            _route("GET", "sobjects/contentversion/*/versiondata", "read:{}", files.download),
            _route("GET", "sobjects/*/updated", "read:{}", replication.updated),
            _route("GET", "sobjects/*/deleted", "read:{}", replication.deleted),
            *_row_routes(RowResources(rows, creation)),
            _route("GET", "", "versions", describe.resources),
            _route("GET", "limits", "limits", lambda call: describe.limits(usage.used(), usage.daily, limits())),
            _route("GET", "sobjects", "describe", describe.all_objects),
            _route("GET", "sobjects/*", "describe", describe.object_head),
            _route("GET", "tooling/query", "tooling", managed.query),
            _route("GET", "query", "query", queries.query),
            _route("GET", "queryall", "query", queries.query),
            _route("GET", "query/*", "query", queries.next_page),
            _route("GET", "queryall/*", "query", queries.next_page),
            _route("POST", "composite", "composite", composite.run, writes=True),
            _route("POST", "composite/batch", "composite", composite.batch, writes=True),
            _route("POST", "composite/graph", "composite", composite.graph, writes=True),
            _route("POST", "composite/tree/*", "composite", Tree(rows, creation).create, writes=True),
            _route("POST", "composite/sobjects", "composite", collections.create, writes=True),
            _route("PATCH", "composite/sobjects", "composite", collections.update, writes=True),
            _route("DELETE", "composite/sobjects", "composite", collections.delete, writes=True),
            _route("GET", "composite/sobjects/*", "composite", collections.read),
            _route("POST", "composite/sobjects/*", "composite", collections.read),
            _route("PATCH", "composite/sobjects/*/*", "composite", collections.upsert, writes=True),
        ]

    def operation(self, call: Call) -> tuple[str, bool]:
        """Return the name by which faults know this call, and whether it writes."""
        route = next((each for each in self._fitting(call) if each.method == call.method), None)
        if route is None:
            return "unknown", False
        obj = find_object(call.path[1]) if "{}" in route.operation else None
        return route.operation.format(obj.name if obj else ""), route.writes

    def handle(self, call: Call) -> Answer:
        """Answer a call; refusals are answers too."""
        call = replace(call, path=tuple(part for part in call.path if part) or ("",))
        try:
            return self._route_for(call).handler(call)
        except SalesforceError as error:
            return refused(error)

    def _route_for(self, call: Call) -> _Route:
        if not describe.is_served(call.version):
            raise not_found()
        fitting = self._fitting(call)
        route = next((each for each in fitting if each.method == call.method), None)
        if route is None and fitting:
            allowed = ", ".join(sorted({each.method for each in fitting}))
            message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
            raise SalesforceError("METHOD_NOT_ALLOWED", message, status=405)
        if route is None:
            raise not_found()
        if route.writes and call.locked and call.path not in _CARRIERS:
            raise SalesforceError("UNABLE_TO_LOCK_ROW", _LOCKED + "/".join(call.path[2:3]))
        return route

    def _fitting(self, call: Call) -> list[_Route]:
        path = tuple(part for part in call.path if part) or ("",)
        return [each for each in self._routes if each.fits(path)]


def _row_routes(rows: RowResources) -> list[_Route]:
    return [
        _route("GET", "sobjects/*/describe", "describe", describe.one_object),
        _route("POST", "sobjects/*", "create:{}", rows.create, writes=True),
        _route("POST", "sobjects/*/id", "create:{}", rows.create, writes=True),
        _route("GET", "sobjects/*/*", "read:{}", rows.read),
        _route("PATCH", "sobjects/*/*", "update:{}", rows.update, writes=True),
        _route("DELETE", "sobjects/*/*", "delete:{}", rows.delete, writes=True),
        _route("GET", "sobjects/*/*/**", "read:{}", rows.read_by_key),
        _route("PATCH", "sobjects/*/*/**", "upsert:{}", rows.upsert, writes=True),
        _route("DELETE", "sobjects/*/*/**", "delete:{}", rows.delete_by_key, writes=True),
    ]


def _route(method: str, path: str, operation: str, handler: Handler, *, writes: bool = False) -> _Route:
    return _Route(method, tuple(path.split("/")), operation, handler, writes)
