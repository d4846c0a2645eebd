"""A notice: one thing the portal tells a customer within itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened (`kind`), to what (`subject`), and the page that shows it. Kind and source name it."""

    kind: str
    source_id: str
    subject: str
    path: str
    at: datetime
    is_read: bool
