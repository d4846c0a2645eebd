"""Which revision of the database this code needs, and whether the one that is there fits."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_VERSIONS = Path(__file__).resolve().parents[3] / "alembic" / "versions"
_REVISION = re.compile(r'^(down_revision|revision) = (?:"(\w+)"|None)$', re.M)
READ_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class Schema:
    """The database's revision as this code sees it: *fits*, *behind* (or empty) or *ahead*, and the sentence for it."""

    state: Literal["fits", "behind", "ahead"]
    revision: str | None

    @property
    def reason(self) -> str:
        """What an operator reads."""
        if self.state == "fits":
            return ""
        if self.revision is None:
            return "the database is empty or not ours to read: run portal migrate"
        action = "run portal migrate" if self.state == "behind" else "run the version of the portal that migrated it"
        return f"the database is at revision {self.revision}, this code needs {revisions()[-1]}: {action}"


def schema_at(revision: str | None) -> Schema:
    """Return how a revision fits; None is a database that has none, or that was migrated before this could be read."""
    if revision == revisions()[-1]:
        return Schema("fits", revision)
    return Schema("behind" if revision is None or revision in revisions() else "ahead", revision)


@cache
def revisions() -> tuple[str, ...]:
    """Return the revisions of this code, oldest first."""
    after: dict[str | None, str] = {}
    for file in _VERSIONS.glob("*.py"):
        names = {name: value or None for name, value in _REVISION.findall(file.read_text())}
        after[names["down_revision"]] = str(names["revision"])
    chain = [after[None]]
    while chain[-1] in after:
        chain.append(after[chain[-1]])
    return tuple(chain)
