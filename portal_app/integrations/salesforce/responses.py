"""Reading Salesforce's answers, and writing addresses from checked parts only."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound
from portal_app.domain.identifiers import salesforce_id
from portal_app.integrations.odd_rows import read_rows
from portal_app.integrations.salesforce.errors import VENDOR, lost, refusal

Read = TypeVar("Read")
Record = Mapping[str, Any]
# The parts that were undone say only that another one failed.
_CONSEQUENCES = frozenset({"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})


def checked_id(record_id: str) -> str:
    """Return an id fit for an address. Raises NotFound, so that a guess learns nothing."""
    try:
        return salesforce_id(record_id)
    except ValueError as error:
        raise NotFound("not a Salesforce id") from error


def external_id_path(kind: str, field: str, value: str) -> str:
    """Return the path of a record by an external id, with every special character encoded.

    Raises ExternalRejected for a value that would name another place: an HTTP client resolves "." and ".." itself.
    """
    if value in ("", ".", ".."):
        raise ExternalRejected(f"{kind}: {value!r} is no external id", vendor=VENDOR)
    return f"sobjects/{kind}/{field}/{quote(value, safe='')}"


def read_each(rows: Iterable[Record], read: Callable[[Record], Read], *, listing: str) -> list[Read]:
    """Return what `read` makes of the rows of a list, without those that it cannot read (`odd_rows`)."""
    return read_rows(rows, read, vendor=VENDOR, listing=listing, id_of=lambda row: row.get("Id"))[0]


@contextmanager
def understood(operation: str, *, safe: bool = True) -> Iterator[None]:
    """Turn a value that cannot be read into the error for a lost answer."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise lost(f"{operation}: an answer we cannot read ({type(error).__name__})", safe=safe) from error


def id_of(operation: str, row: Record, name: str = "Id") -> str:
    """Return the id of a record that was read. Raises ExternalUnavailable."""
    with understood(operation):
        return salesforce_id(str(row[name]))


def record_of(operation: str, answer: Any) -> Record:
    """Return an answer that must be one object. Raises ExternalUnavailable."""
    if not isinstance(answer, Mapping):
        raise ExternalUnavailable(f"{operation}: no record", vendor=VENDOR)
    return answer


def new_id_of(operation: str, answer: Any, *, safe: bool) -> str:
    """Return the id of a record just written. Raises as for a lost answer where there is none."""
    with understood(operation, safe=safe):
        return salesforce_id(str(answer["id"]))


def page_of(answer: Any) -> tuple[list[Record], str]:
    """Return the rows of a page and the address of the next one, empty after the last. Raises ExternalUnavailable."""
    rows = answer.get("records") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ExternalUnavailable("query: no records in the answer", vendor=VENDOR)
    return rows, str(answer.get("nextRecordsUrl") or "")


def parts_of(operation: str, answer: Any, *, names: Collection[str], safe: bool) -> dict[str, Record]:
    """Return the body of each of these parts of a composite answer. Raises the error of the part that failed."""
    with understood(operation, safe=safe):
        parts = [
            (str(part["referenceId"]), int(part["httpStatusCode"]), part["body"])
            for part in answer["compositeResponse"]
        ]
    lists = [body for _, status, body in parts if status >= 300 and isinstance(body, list) and body]
    failed = [entries[0] for entries in lists if isinstance(entries[0], dict)]
    if any(status >= 300 for _, status, _ in parts):
        causes = [entry for entry in failed if entry.get("errorCode") not in _CONSEQUENCES] or failed or [{}]
        raise refusal(operation, causes[0], safe=safe)
    bodies = {name: body if isinstance(body, Mapping) else {} for name, _, body in parts}
    with understood(operation, safe=safe):
        return {name: bodies[name] for name in names}
