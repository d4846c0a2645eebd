"""How an object of the org is described: its fields, their types and what may be done with them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Type = Literal[
    "id",
    "string",
    "textarea",
    "picklist",
    "multipicklist",
    "boolean",
    "double",
    "currency",
    "int",
    "date",
    "datetime",
    "reference",
    "email",
    "phone",
    "url",
    "base64",
]
LONG_TEXT = 32_000


@dataclass(frozen=True)
class Field:
    """One field. `values` restricts a picklist when `restricted`; `to` names the object a reference points at."""

    name: str
    type: Type
    length: int = 0
    label: str = ""
    required: bool = False
    unique: bool = False
    external_id: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    default: Any = None
    to: str = ""
    children: str = ""
    createable: bool = True
    updateable: bool = True

    @property
    def relationship(self) -> str:
        """The name under which a reference's parent is reached in queries; empty for other fields."""
        if not self.to:
            return ""
        return self.name.removesuffix("__c") + "__r" if self.name.endswith("__c") else self.name.removesuffix("Id")

    @property
    def groupable(self) -> bool:
        """Whether queries can group by it."""
        return self.type not in ("textarea", "multipicklist", "double", "currency", "datetime")

    @property
    def caption(self) -> str:
        """The label a person reads."""
        return self.label or self.name.removesuffix("__c").replace("_", " ")


@dataclass(frozen=True)
class Object:
    """One object: rows (or, for a platform event, messages) whose ids begin with `prefix`.

    Where `filtered_by` names fields, a query must say which value of one of them it wants.
    """

    name: str
    prefix: str
    fields: tuple[Field, ...]
    kind: Literal["row", "event"] = "row"
    change_events: bool = False
    filtered_by: tuple[str, ...] = ()
    _by_name: dict[str, Field] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self._by_name.update({each.name.lower(): each for each in self.fields})

    @property
    def custom(self) -> bool:
        """Whether the object is the org's own."""
        return self.name.endswith(("__c", "__e"))

    def field(self, name: str) -> Field | None:
        """Return a field by its name in any case, or None."""
        return self._by_name.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """Return the reference field behind a relationship name in any case, or None."""
        wanted = relationship.lower()
        return next((each for each in self.fields if each.to and each.relationship.lower() == wanted), None)


def text(name: str, length: int, **more: Any) -> Field:
    """Describe a line of text."""
    return Field(name, "string", length, **more)


def long_text(name: str, length: int = LONG_TEXT, **more: Any) -> Field:
    """Describe a long text, which queries cannot filter by."""
    return Field(name, "textarea", length, **more)


def picklist(name: str, *values: str, **more: Any) -> Field:
    """Describe a choice; with values given it is restricted to them."""
    return Field(name, "picklist", 255, values=values, restricted=more.pop("restricted", bool(values)), **more)


def checkbox(name: str, **more: Any) -> Field:
    """Describe a yes or no that is never null."""
    return Field(name, "boolean", default=more.pop("default", False), **more)


def of(kind: Type, *names: str, **more: Any) -> list[Field]:
    """Describe several fields of one type."""
    return [Field(name, kind, **more) for name in names]


def reference(name: str, to: str, children: str = "", **more: Any) -> Field:
    """Describe a reference to a parent object whose sub-selects call the rows `children`."""
    return Field(name, "reference", 18, to=to, children=children, **more)


def address(prefix: str) -> list[Field]:
    """Describe the five parts of an address."""
    part = (("Street", 255), ("City", 40), ("State", 80), ("PostalCode", 20), ("Country", 80))
    return [Field(prefix + name, "textarea" if name == "Street" else "string", length) for name, length in part]


def read_only(each: Field) -> Field:
    """Return the field as one that only the org itself writes."""
    return replace(each, createable=False, updateable=False)


def row_object(name: str, prefix: str, *fields: Field | Iterable[Field], **more: Any) -> Object:
    """Describe an object with rows; system fields are added around the given ones."""
    own = _flat(fields)
    system = [read_only(each) for each in _after_fields()]
    return Object(name, prefix, (read_only(Field("Id", "id", 18)), *own, *system), **more)


def event_object(name: str, prefix: str, *fields: Field) -> Object:
    """Describe a platform event."""
    system = (read_only(Field("CreatedDate", "datetime")), read_only(reference("CreatedById", "User")))
    return Object(name, prefix, (*system, *fields), kind="event")


def owned() -> Field:
    """Describe the owner, which is the creating user unless said otherwise."""
    return reference("OwnerId", "User")


def _after_fields() -> list[Field]:
    return [
        checkbox("IsDeleted"),
        Field("CreatedDate", "datetime"),
        reference("CreatedById", "User"),
        Field("LastModifiedDate", "datetime"),
        reference("LastModifiedById", "User"),
        Field("SystemModstamp", "datetime"),
    ]


def _flat(fields: Iterable[Field | Iterable[Field]]) -> list[Field]:
    return [each for entry in fields for each in ([entry] if isinstance(entry, Field) else entry)]
