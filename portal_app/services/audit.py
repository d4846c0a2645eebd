"""Writes the audit: entries are added in the transaction of the change they describe."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.models.audit import AuditEntry

Actor = Literal["you", "staff", "system"]


class Tag(StrEnum):
    """All audit tags, as subject:thing:action. The values are stored, so they never change."""

    ACCOUNT_CREATED = "account:user:created"
    ACCOUNT_MOVED = "account:user:moved"
    MOVE_REFUSED = "account:move:refused"
    ACCOUNT_LINKED = "account:mapping:created"
    ACCOUNT_CLOSED = "account:user:closed"
    ACCOUNT_REOPENED = "account:user:reopened"
    ACCOUNT_FAILED = "account:mapping:failed"
    PROFILE_CHANGED = "account:profile:changed"
    PROFILE_REFUSED = "account:profile:refused"
    PROFILE_HANDED_ON = "account:salesforce:changed"
    PROFILE_NOT_HANDED_ON = "account:salesforce:refused"
    DOCUMENT_SUBMITTED = "account:identity_document:submitted"
    DOCUMENT_HANDED_OVER = "account:identity_document:handed_over"
    DOCUMENT_LOST = "account:identity_document:refused"
    IDENTITY_VERIFIED = "account:identity:verified"
    IDENTITY_REJECTED = "account:identity:rejected"
    EMAIL_CHANGE_ASKED = "account:email:asked"
    SIGNED_IN = "session:sign_in:succeeded"
    SIGN_IN_FAILED = "session:sign_in:failed"
    PASSWORD_CHANGED = "account:password:changed"  # noqa: S105  a name, no secret
    PASSWORD_REFUSED = "account:password:refused"  # noqa: S105  a name, no secret
    RESET_ASKED = "account:reset:asked"
    SIGNED_OUT = "session:sign_out:succeeded"
    SECOND_STEP_FAILED = "session:second_step:failed"
    TWO_STEP_ON = "factor:two_step:turned_on"
    TWO_STEP_OFF = "factor:two_step:turned_off"
    CODES_RENEWED = "factor:recovery_codes:renewed"
    RECOVERY_CODE_USED = "factor:recovery_code:used"
    PASSKEY_ADDED = "factor:passkey:added"
    PASSKEY_RENAMED = "factor:passkey:renamed"
    PASSKEY_REMOVED = "factor:passkey:removed"
    PASSKEY_COPIED = "factor:passkey:copied"
    CONFIRMED = "session:step_up:succeeded"
    CONFIRM_FAILED = "session:step_up:failed"
    FAMILY_REVOKED = "session:refresh:reused"
    ORDER_PLACED = "order:order:placed"
    ORDER_HANDED_OVER = "order:salesforce:created"
    ORDER_BILLED = "order:whmcs:created"
    ORDER_ACTIVATED = "order:order:activated"
    ORDER_UNDONE = "order:order:undone"
    ORDER_FAILED = "order:order:failed"
    ADDRESS_CHECK_ASKED = "internet:check:asked"
    ADDRESS_CHECK_HANDED_OVER = "internet:salesforce:created"
    ADDRESS_CHECKED = "internet:check:answered"
    METHOD_DEFAULT = "billing:payment_method:made_default"
    METHOD_REMOVED = "billing:payment_method:removed"
    CANCELLATION_SCHEDULED = "service:cancellation:scheduled"
    CANCELLATION_WITHDRAWN = "service:cancellation:withdrawn"
    CANCELLATION_SENT = "service:cancellation:sent"
    CANCELLATION_REFUSED = "service:cancellation:refused"
    TOP_UP_ASKED = "sim:top_up:asked"
    TOP_UP_PAID = "sim:top_up:paid"
    TOP_UP_DONE = "sim:top_up:delivered"
    TOP_UP_STOPPED = "sim:top_up:stopped"
    TOP_UP_WITH_TEAM = "sim:top_up:handed_over"
    AUTO_TOP_UP_ON = "sim:auto_top_up:on"
    AUTO_TOP_UP_OFF = "sim:auto_top_up:off"
    LINE_ALERT_SET = "sim:alert:set"
    LINE_ALERT_REMOVED = "sim:alert:removed"
    CALLS_TAKEN = "sim:calls:taken"
    LINE_ORDER_ASKED = "sim:change:asked"
    LINE_ORDER_WITHDRAWN = "sim:change:withdrawn"
    LINE_ORDER_DONE = "sim:change:carried_out"
    LINE_ORDER_FAILED = "sim:change:failed"
    LINE_ORDER_WITH_TEAM = "sim:change:handed_over"
    SERVICE_ENDED = "service:service:ended"
    NOTIFICATIONS_CHANGED = "account:notifications:changed"
    CALENDAR_OPENED = "account:calendar:opened"
    CALENDAR_CLOSED = "account:calendar:closed"
    CASE_OPENED = "support:case:opened"
    CASE_SOLVED = "support:case:solved"
    MALWARE_FOUND = "support:file:malware_found"
    SIGN_ON_LINK = "billing:sign_on:opened"


def record(
    session: AsyncSession,
    tag: Tag,
    *,
    user_id: UUID | None,
    actor: Actor = "system",
    detail: dict[str, str] | None = None,
) -> None:
    """Add one entry; `detail` holds ids and codes, never personal data."""
    session.add(AuditEntry(user_id=user_id, actor=actor, tag=tag.value, detail=detail or {}))
