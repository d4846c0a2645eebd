"""A call that carries an idempotency key."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

# Operations that are called from pages and by API: one key counts for both. The names are stored with the keys, and the
# API makes the same ones from its routes.
PLACE_ORDER = "POST /api/orders"
OPEN_CASE = "POST /api/cases"
REPLY_TO_CASE = "POST /api/cases/{case_id}/comments"
SOLVE_CASE = "POST /api/cases/{case_id}/solved"
RATE_CASE = "POST /api/cases/{case_id}/rating"
SCHEDULE_CANCELLATION = "POST /api/subscriptions/{service_id}/cancellation"
ORDER_TOP_UP = "POST /api/subscriptions/{service_id}/sim/top-ups"
SWITCH_VOICE_OPTION = "POST /api/subscriptions/{service_id}/sim/options"
CHANGE_NETWORK = "POST /api/subscriptions/{service_id}/sim/network"
CHANGE_PLAN = "POST /api/subscriptions/{service_id}/sim/plan"
WITHDRAW_LINE_ORDER = "DELETE /api/subscriptions/{service_id}/sim/changes/{order_id}"
WITHDRAW_CANCELLATION = "DELETE /api/subscriptions/{service_id}/cancellation"


@dataclass(frozen=True, slots=True)
class Call:
    """Something asked for with a key. `fingerprint` is the whole content; only its keyed hash is stored."""

    user_id: UUID
    operation: str
    key: str
    fingerprint: str


class Claim(Protocol):
    """The right to carry a call out. A service that writes rows for it calls `finish` in the same transaction."""

    async def finish(self, session: Any, resource_id: str) -> None:
        """Record what the call led to. Raises Conflict where another process took over meanwhile: write nothing."""
