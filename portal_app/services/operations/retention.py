"""How long each table keeps its rows; docs/operations.md shows the same as a table."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from portal_app.infra.clock import now, today
from portal_app.infra.settings import Settings
from portal_app.models.account_recovery import RecoveryToken
from portal_app.models.announcement import AnnouncementRow, IncidentFollower
from portal_app.models.email_outbox import Mail
from portal_app.models.help_count import HelpCount
from portal_app.models.idempotency import IdempotencyKey
from portal_app.models.inbox import Inbox
from portal_app.models.lockout import SignInAttempts
from portal_app.models.mfa import Challenge, PendingSignIn
from portal_app.models.notice import NoticeRow
from portal_app.models.notification_preference import Reminder
from portal_app.models.order import DraftRow
from portal_app.models.profile import EmailChange
from portal_app.models.session import RefreshToken, Session
from portal_app.models.sim_call import SimCall
from portal_app.models.sim_reading import SimReading
from portal_app.models.user import SignUp
from portal_app.services.calls.call_import import oldest_month
from portal_app.services.idempotency import KEPT
from portal_app.services.identity.proof_attempts import FORGOTTEN_AFTER

Expired = tuple[type[SQLModel], sa.ColumnElement[bool]]
_DAY = timedelta(days=1)


def expired_rows(settings: Settings) -> Iterator[Expired]:
    """Return each table with the condition of the rows to delete, in the order of their references."""
    at = now()
    yield SignUp, col(SignUp.expires_at) < at - _DAY
    yield RecoveryToken, col(RecoveryToken.expires_at) < at - _DAY
    yield SignInAttempts, col(SignInAttempts.tried_at) < at - FORGOTTEN_AFTER
    yield Challenge, col(Challenge.expires_at) < at
    yield PendingSignIn, col(PendingSignIn.expires_at) < at
    yield EmailChange, col(EmailChange.expires_at) < at - _DAY
    yield IdempotencyKey, col(IdempotencyKey.created_at) < at - KEPT
    yield Reminder, col(Reminder.at) < at - timedelta(days=400)
    yield DraftRow, col(DraftRow.updated_at) < at - timedelta(days=30)
    # A used token is needed to notice its reuse, as long as its session may live.
    yield RefreshToken, col(RefreshToken.used_at) < at - timedelta(seconds=settings.portal_session_seconds)
    yield RefreshToken, col(RefreshToken.session_id).in_(sa.select(col(Session.id)).where(_is_over_before(at - _DAY)))
    has_tokens = sa.exists().where(col(RefreshToken.session_id) == col(Session.id))
    yield Session, sa.and_(_is_over_before(at - timedelta(days=settings.portal_keep_session_days)), ~has_tokens)
    yield Mail, col(Mail.created_at) < at - timedelta(days=settings.portal_keep_mail_days)
    yield NoticeRow, col(NoticeRow.at) < at - timedelta(days=settings.portal_keep_notice_days)
    yield SimReading, col(SimReading.day) < today() - timedelta(days=settings.portal_keep_reading_days)
    yield SimCall, col(SimCall.month) < oldest_month(today(), timedelta(days=settings.portal_keep_call_days))
    # An event that was not handled is a case for operators (docs/operations.md, unapplied_events).
    handled = col(Inbox.handled_at) < at - timedelta(days=settings.portal_keep_event_days)
    yield Inbox, handled
    over = col(AnnouncementRow.ended_at) < at - timedelta(days=400)
    yield IncidentFollower, col(IncidentFollower.announcement_id).in_(sa.select(col(AnnouncementRow.id)).where(over))
    followed = sa.exists().where(col(IncidentFollower.announcement_id) == col(AnnouncementRow.id))
    yield AnnouncementRow, sa.and_(over, ~followed)
    yield HelpCount, col(HelpCount.day) < (at - timedelta(days=400)).date()


def _is_over_before(moment: Any) -> sa.ColumnElement[bool]:
    return sa.or_(col(Session.ended_at) < moment, col(Session.expires_at) < moment)
