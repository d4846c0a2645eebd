"""Which rows of an object were changed or deleted within a span, for clients that keep a copy."""

from datetime import UTC, datetime, timedelta

from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.rows import Rows, row_object
from sandbox.salesforce.tables import BIN_LIFE, Row
from sandbox.salesforce.values import datetime_text, parse_datetime

_FARTHEST_BACK = timedelta(days=30)


class Replication:
    """Answer /sobjects/{Type}/updated and /sobjects/{Type}/deleted."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def updated(self, call: Call) -> Answer:
        """GET the ids of living rows created or changed between `start` and `end`."""
        start, end = self._span(call)
        found = [row["Id"] for row in self._changed(call, start, end) if not row.get("IsDeleted")]
        return Answer(200, {"ids": found, "latestDateCovered": datetime_text(end)})

    def deleted(self, call: Call) -> Answer:
        """GET the rows deleted between `start` and `end` that are still in the recycle bin."""
        start, end = self._span(call)
        found = [
            {"id": row["Id"], "deletedDate": row["SystemModstamp"]}
            for row in self._changed(call, start, end)
            if row.get("IsDeleted")
        ]
        earliest = datetime_text(self._now() - BIN_LIFE)
        covered = {"earliestDateAvailable": earliest, "latestDateCovered": datetime_text(end)}
        return Answer(200, {"deletedRecords": found, **covered})

    def _changed(self, call: Call, start: datetime, end: datetime) -> list[Row]:
        first, last = datetime_text(start), datetime_text(end)
        rows = self._rows.tables.all(row_object(call.path[1]))
        return [row for row in rows if first <= row["SystemModstamp"] <= last]

    def _span(self, call: Call) -> tuple[datetime, datetime]:
        start, end = (self._moment(call, name) for name in ("start", "end"))
        if start >= end:
            raise _wrong_date("startDate must be before endDate, at least by one minute")
        if self._now() - start > _FARTHEST_BACK:
            raise _wrong_date("startDate is too far in the past: it must be within the last 30 days")
        return start, end

    def _moment(self, call: Call, name: str) -> datetime:
        # A plus sign that was not encoded arrives as a space.
        moment = parse_datetime(call.query.get(name, "").replace(" ", "+"))
        if moment is None:
            raise SalesforceError("INVALID_FIELD", f"{name} must be a date and time in ISO 8601")
        # Seconds do not count, as documented.
        return moment.replace(second=0, microsecond=0)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._rows.unit_ms() / 1000, UTC)


def _wrong_date(message: str) -> SalesforceError:
    return SalesforceError("INVALID_REPLICATION_DATE", message)
