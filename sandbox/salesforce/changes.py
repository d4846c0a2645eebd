"""What happened to rows within one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sandbox.salesforce.tables import AGENT_USER_ID

ChangeType = Literal["CREATE", "UPDATE", "DELETE", "UNDELETE"]


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where: `origin` is what change events carry as changeOrigin, empty for people."""

    user_id: str = AGENT_USER_ID
    origin: str = ""


@dataclass(frozen=True)
class Change:
    """One row changed. `fields` names what differs; rows lack the fields that are null."""

    type: ChangeType
    object_name: str
    row_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    fields: tuple[str, ...]

    def became(self, field_name: str, value: Any) -> bool:
        """Say whether a field has this value now and had not before."""
        return bool(self.after.get(field_name) == value != self.before.get(field_name))


@dataclass
class Unit:
    """A transaction: its actor, its time and the changes made so far, in order."""

    actor: Actor
    at: datetime
    changes: list[Change] = field(default_factory=list)
