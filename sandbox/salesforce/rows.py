"""The org's row engine: every write is checked, numbered, stamped and passed to the listeners."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.clock import Clock
from sandbox.salesforce.changes import Actor, Change, ChangeType, Unit
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.ids import is_id, to_18
from sandbox.salesforce.incoming import accepted_values, check_row, external_field
from sandbox.salesforce.objects import OBJECTS, find_object
from sandbox.salesforce.query import soql
from sandbox.salesforce.rules import CASCADES, check_and_fill, check_delete, number_row
from sandbox.salesforce.schema import Object
from sandbox.salesforce.tables import Row, Tables
from sandbox.salesforce.values import datetime_text
from sandbox.store import Store


class MultipleMatches(Exception):
    """An external id matches several rows; carries their ids."""

    def __init__(self, obj: Object, ids: list[str]) -> None:
        super().__init__(ids)
        self.object = obj
        self.ids = ids


class Rows:
    """Create, read, change, delete and query rows. Writes made within one `unit` commit together.

    `on_change` is told of every change within the transaction and may write more; `on_commit` is told of the whole
    unit just before it commits; `after_commit` is called once it has.
    """

    def __init__(self, store: Store, clock: Clock, username: str, org_id: str) -> None:
        self._store = store
        self._clock = clock
        self._unit: Unit | None = None
        self.tables = Tables(store, clock, username, org_id)
        # Whether REST hands a changed case to the default owner unless a header says not to.
        self.gives_to_default_owner: Callable[[], bool] = lambda: False
        self.on_change: list[Callable[[Change], None]] = []
        self.on_commit: list[Callable[[Unit], None]] = []
        self.after_commit: list[Callable[[], None]] = []

    @contextmanager
    def unit(self, actor: Actor | None = None) -> Iterator[None]:
        """Make all writes inside one transaction of one actor; nested use joins the outer one."""
        with self._store.transaction():
            if self._unit is not None:
                yield
                return
            self._unit = Unit(actor or Actor(), self._clock.now())
            try:
                yield
                for listener in self.on_commit:
                    listener(self._unit)
            finally:
                self._unit = None
        for callback in self.after_commit:
            callback()

    def unit_ms(self) -> int:
        """Return the running unit's time in milliseconds since 1970."""
        return int((self._unit.at if self._unit else self._clock.now()).timestamp() * 1000)

    def create(self, object_name: str, fields: dict[str, Any], *, system: bool = False) -> str:
        """Create a row and return its id; `system` may fill read-only fields. Raises SalesforceError."""
        obj = row_object(object_name)
        if not system and not any(field.createable for field in obj.fields):
            message = f"entity type cannot be inserted: {obj.name}"
            raise SalesforceError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
        with self.unit():
            row = {field.name: field.default for field in obj.fields if field.default is not None}
            row |= accepted_values(self.tables, obj, fields, creating=True, system=system)
            check_row(self.tables, obj, {}, row)
            row["Id"] = self.tables.next_id(obj)
            self._stamp(obj, row, creating=True)
            check_and_fill(self.tables, obj.name, {}, row)
            number_row(self.tables, obj.name, row)
            self._keep(obj, "CREATE", {}, row)
        return str(row["Id"])

    def get(self, object_name: str, row_id: str) -> Row | None:
        """Return a living row with all its fields, or None."""
        obj = row_object(object_name)
        row = self.tables.get(obj, row_id) if is_id(row_id) else None
        return full_row(obj, row) if row and not row.get("IsDeleted") else None

    def existing(self, obj: Object, row_id: str) -> Row:
        """Return a living row as kept. Raises SalesforceError when it is malformed, absent or deleted."""
        if not is_id(row_id) or not row_id.startswith(obj.prefix):
            raise SalesforceError("MALFORMED_ID", f"{obj.name} ID: id value of incorrect type: {row_id}", status=404)
        row = self.tables.get(obj, row_id)
        if row is None:
            raise not_found()
        if row.get("IsDeleted"):
            raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def update(self, object_name: str, row_id: str, fields: dict[str, Any], *, system: bool = False) -> None:
        """Change a row; no fields at all still touches it. Raises SalesforceError."""
        obj = row_object(object_name)
        with self.unit():
            before = self.existing(obj, row_id)
            values = accepted_values(self.tables, obj, fields, creating=False, system=system)
            after = {name: value for name, value in (before | values).items() if value is not None}
            check_row(self.tables, obj, before, after)
            self._stamp(obj, after, creating=False)
            check_and_fill(self.tables, obj.name, before, after)
            self._keep(obj, "UPDATE", before, after)

    def upsert(self, object_name: str, key: tuple[str, str], fields: dict[str, Any]) -> tuple[str, bool]:
        """Create or change the row with an external id, `key` = (field, value); return its id and whether it is new.

        Raises SalesforceError, and MultipleMatches when several rows have it.
        """
        obj = row_object(object_name)
        field = external_field(obj, key[0])
        with self.unit():
            found = self.tables.find(obj, field, key[1])
            if len(found) > 1:
                raise MultipleMatches(obj, [row["Id"] for row in found])
            if found:
                self.update(obj.name, found[0]["Id"], fields)
                return str(found[0]["Id"]), False
            return self.create(obj.name, fields | {field.name: key[1]}), True

    def delete(self, object_name: str, row_id: str) -> None:
        """Move a row, and the rows that cannot be without it, to the recycle bin. Raises SalesforceError."""
        with self.unit():
            self._delete(row_object(object_name), row_id)

    def _delete(self, obj: Object, row_id: str, *, with_parent: bool = False) -> None:
        before = self.existing(obj, row_id)
        check_delete(self.tables, obj.name, before)
        for child, field_name in CASCADES.get(obj.name, ()):
            for row in self.tables.children(child, field_name, before["Id"]):
                self._delete(OBJECTS[child], row["Id"], with_parent=True)
        after = before | {"IsDeleted": True}
        self._stamp(obj, after, creating=False)
        # No automation runs for rows that go with their parent.
        self._keep(obj, "DELETE", before, after, silently=with_parent)

    def query(self, text: str, *, deleted_too: bool = False) -> list[Row]:
        """Return the records a SOQL query answers, as REST gives them. Raises SalesforceError."""
        return soql.run(self.tables, self._clock.now(), text, deleted_too=deleted_too).records

    def _stamp(self, obj: Object, row: Row, *, creating: bool) -> None:
        assert self._unit is not None
        now, user_id = datetime_text(self._unit.at), self._unit.actor.user_id
        row |= {"LastModifiedDate": now, "LastModifiedById": user_id, "SystemModstamp": now}
        if creating:
            row |= {"CreatedDate": now, "CreatedById": user_id}
            if obj.field("OwnerId"):
                row.setdefault("OwnerId", user_id)

    def _keep(self, obj: Object, kind: ChangeType, before: Row, after: Row, *, silently: bool = False) -> None:
        assert self._unit is not None
        self.tables.put(obj, after, before)
        names = tuple(field.name for field in obj.fields if before.get(field.name) != after.get(field.name))
        change = Change(kind, obj.name, to_18(after["Id"]), before, after, names)
        self._unit.changes.append(change)
        if obj.name == "OrderItem":
            self._roll_up(after["OrderId"])
        for listener in () if silently else self.on_change:
            listener(change)

    def _roll_up(self, order_id: str) -> None:
        obj = OBJECTS["Order"]
        order = self.tables.get(obj, order_id)
        if order:
            items = self.tables.children("OrderItem", "OrderId", order_id)
            self.tables.put(obj, order | {"TotalAmount": sum(item["TotalPrice"] for item in items)}, order)


def row_object(name: str) -> Object:
    """Return an object that has rows by its name in any case. Raises SalesforceError."""
    obj = find_object(name)
    if obj is None or obj.kind != "row":
        raise not_found()
    return obj


def full_row(obj: Object, row: Row) -> Row:
    """Return a row with every field of its object, null ones included, in schema order."""
    return {field.name: row.get(field.name, field.default) for field in obj.fields}
