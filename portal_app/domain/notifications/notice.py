"""Notices: messages to a customer inside the portal."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: what happened (`kind`) to which `subject`, and the page about it. Kind and source id identify it."""

    kind: str
    source_id: str
    subject: str
    path: str
    at: datetime
    is_read: bool
