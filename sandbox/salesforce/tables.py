"""Rows as documents in the store, with indexes for unique fields and parents, and the rows every org is born with."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.salesforce.ids import make_id, to_18
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import Field, Object
from sandbox.salesforce.support_objects import CASE_STATUSES, CLOSED_CASE_STATUSES
from sandbox.salesforce.values import datetime_text
from sandbox.store import Store

BIN_LIFE = timedelta(days=15)
Row = dict[str, Any]

INTEGRATION_USER_ID = to_18("005xx000001SwiU")
AGENT_USER_ID = to_18("005xx000001SwiV")
STANDARD_PRICEBOOK_ID = to_18("01sxx0000000001")


class Tables:
    """Read and write raw rows. Absent keys are null fields.

    Deleted rows stay in the recycle bin, marked `IsDeleted`; 15 days later nobody can read them any more.
    """

    def __init__(self, store: Store, clock: Clock, username: str, org_id: str) -> None:
        self._store = store
        self._clock = clock
        self._born_with = {row["Id"]: row for row in _born_with(username, to_18(org_id))}

    def get(self, obj: Object, row_id: str) -> Row | None:
        """Return one row, deleted or not, or None."""
        row_id = to_18(row_id)
        found = self._store.get(_kind(obj), row_id)
        if found is None and row_id.startswith(obj.prefix) and row_id in self._born_with:
            found = dict(self._born_with[row_id])
        return None if found and self._is_purged(found, self._emptied_until()) else found

    def all(self, obj: Object) -> list[Row]:
        """Return all rows of an object, deleted ones too, oldest first."""
        stored = self._store.all(_kind(obj))
        known = {row["Id"] for row in stored}
        born = [dict(row) for key, row in self._born_with.items() if key.startswith(obj.prefix) and key not in known]
        until = self._emptied_until()
        return [row for row in born + stored if not self._is_purged(row, until)]

    def put(self, obj: Object, row: Row, before: Row | None = None) -> None:
        """Keep a row and bring the index of its unique fields up to date."""
        self._store.put(_kind(obj), row["Id"], {name: value for name, value in row.items() if value is not None})
        for field in _unique_fields(obj):
            old = before.get(field.name) if before and not before.get("IsDeleted") else None
            new = None if row.get("IsDeleted") else row.get(field.name)
            if old is not None and old != new:
                self._store.delete(_index(obj, field), old.lower())
            if new is not None and old != new:
                self._store.put(_index(obj, field), new.lower(), {"id": row["Id"]})
        self._link(obj, row, before or {})

    def find(self, obj: Object, field: Field, value: str) -> list[Row]:
        """Return the living rows whose field has this value in any case."""
        if field.unique:
            entry = self._store.get(_index(obj, field), value.lower())
            row = self.get(obj, entry["id"]) if entry else None
            return [row] if row else []
        return [row for row in self.living(obj) if str(row.get(field.name) or "").lower() == value.lower()]

    def living(self, obj: Object) -> Iterator[Row]:
        """Yield the rows that are not in the recycle bin."""
        return (row for row in self.all(obj) if not row.get("IsDeleted"))

    def children(self, object_name: str, field_name: str, parent_id: str) -> list[Row]:
        """Return the living rows that point at a parent by a field with a child relationship."""
        return [row for row in self.linked(object_name, field_name, parent_id) if not row.get("IsDeleted")]

    def linked(self, object_name: str, field_name: str, parent_id: str) -> list[Row]:
        """Return the rows that point at a parent, deleted ones too."""
        obj = OBJECTS[object_name]
        entries = self._store.all(_links(obj, field_name, parent_id))
        found = (self.get(obj, entry["id"]) for entry in entries)
        return [row for row in found if row]

    def next_id(self, obj: Object) -> str:
        """Return a fresh id."""
        return make_id(obj.prefix, self._store.next_number(f"salesforce:id:{obj.prefix}", 1001))

    def next_number(self, name: str, start: int = 1) -> int:
        """Return the next number of an auto-number field."""
        return self._store.next_number(f"salesforce:number:{name}", start)

    def _emptied_until(self) -> str:
        return datetime_text(self._clock.now() - BIN_LIFE)

    @staticmethod
    def _is_purged(row: Row, until: str) -> bool:
        return bool(row.get("IsDeleted")) and row["SystemModstamp"] < until

    def _link(self, obj: Object, row: Row, before: Row) -> None:
        for field in obj.fields:
            old, new = before.get(field.name), row.get(field.name)
            if not field.children or old == new:
                continue
            if old is not None:
                self._store.delete(_links(obj, field.name, old), row["Id"])
            if new is not None:
                self._store.put(_links(obj, field.name, new), row["Id"], {"id": row["Id"]})


def _kind(obj: Object) -> str:
    return f"salesforce:{obj.name}"


def _index(obj: Object, field: Field) -> str:
    return f"salesforce:key:{obj.name}.{field.name}"


def _links(obj: Object, field_name: str, parent_id: str) -> str:
    return f"salesforce:links:{obj.name}.{field_name}:{parent_id}"


def _unique_fields(obj: Object) -> list[Field]:
    return [field for field in obj.fields if field.unique]


def _born_with(username: str, org_id: str) -> list[Row]:
    born = "2026-01-01T00:00:00.000+0000"
    system = {
        "IsDeleted": False,
        "CreatedDate": born,
        "CreatedById": INTEGRATION_USER_ID,
        "LastModifiedDate": born,
        "LastModifiedById": INTEGRATION_USER_ID,
        "SystemModstamp": born,
    }
    return [
        {"Id": INTEGRATION_USER_ID, "Username": username, "Name": "Portal Integration", "IsActive": True}
        | {"FirstName": "Portal", "LastName": "Integration", "Email": "portal@sandbox.example"}
        | system,
        {"Id": AGENT_USER_ID, "Username": "agent@sandbox.example", "Name": "Mika Endo", "IsActive": True}
        | {"FirstName": "Mika", "LastName": "Endo", "Email": "agent@sandbox.example"}
        | system,
        {"Id": STANDARD_PRICEBOOK_ID, "Name": "Standard Price Book", "IsActive": True, "IsStandard": True} | system,
        {"Id": org_id, "Name": "Sandbox", "OrganizationType": "Developer Edition", "InstanceName": "SBX1"}
        | {"IsSandbox": True, "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "Asia/Tokyo"}
        | system,
        *(_case_status(place, name) | system for place, name in enumerate(CASE_STATUSES, 1)),
    ]


def _case_status(place: int, name: str) -> Row:
    flags = {"IsClosed": name in CLOSED_CASE_STATUSES, "IsDefault": place == 1}
    return {"Id": to_18(f"01Jxx000000000{place}"), "ApiName": name, "MasterLabel": name, "SortOrder": place} | flags
