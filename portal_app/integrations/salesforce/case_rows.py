"""Rows of cases, comments and mails, and which of them a customer may see."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import getaddresses

from portal_app.domain.ports.support import RemoteCase
from portal_app.domain.support.case import Side
from portal_app.domain.support.message import Entry
from portal_app.integrations.salesforce.responses import Record, id_of, understood

CASE_FIELDS = (
    "Id, AccountId, CaseNumber, Subject, Description, Status, IsClosed, ClosedDate, Origin, CreatedDate,"
    " SystemModstamp, MasterRecordId, HasCommentsUnreadByOwner, Portal_Kind__c, Portal_Category__c,"
    " Portal_Reference__c, Portal_About__c, Portal_Last_Activity_At__c, Portal_Last_Activity_By__c,"
    " Portal_Threading_Id__c"
)
_OUR_ORIGIN = "Portal Website"
# Agents' own work: a customer sees it once something in it is for the customer.
_INTERNAL_KINDS = frozenset({"Address Check", "Cancellation", "Order Problem"})
_DRAFT = "5"
_SIDES: dict[str, Side] = {"Customer": "customer", "Agent": "team"}


def case_of(row: Record) -> RemoteCase:
    """Return a case. Raises ExternalUnavailable for a row that cannot be read."""
    with understood("read case"):
        opened_at = _time(row["CreatedDate"])
        kind = str(row.get("Portal_Kind__c") or "")
        last_by = _SIDES.get(str(row.get("Portal_Last_Activity_By__c")))
        return RemoteCase(
            sf_case_id=id_of("read case", row),
            account_id=str(row.get("AccountId") or ""),
            reference=str(row.get("Portal_Reference__c") or ""),
            number=str(row.get("CaseNumber") or ""),
            subject=str(row.get("Subject") or ""),
            description=str(row.get("Description") or ""),
            status=str(row.get("Status") or ""),
            is_closed=bool(row.get("IsClosed")),
            closed_at=_time(row["ClosedDate"]) if row.get("ClosedDate") else None,
            category=str(row.get("Portal_Category__c") or ""),
            about=str(row.get("Portal_About__c") or ""),
            opened_at=opened_at,
            opened_by="customer" if row.get("Origin") in (_OUR_ORIGIN, "Email", "Web") else "team",
            last_activity_at=_time(row.get("Portal_Last_Activity_At__c") or row["CreatedDate"]),
            last_by=last_by,
            is_seen_by_team=not row.get("HasCommentsUnreadByOwner"),
            merged_into=str(row.get("MasterRecordId") or ""),
            threading_id=str(row.get("Portal_Threading_Id__c") or ""),
            is_shown=kind not in _INTERNAL_KINDS or last_by == "team",
        )


def comment_entries(rows: Sequence[Record], *, own_user: str) -> list[Entry]:
    """Return the published comments. Those of our own user are the customer's words: nothing else writes by it."""
    return [_comment(row, own_user) for row in rows if row.get("IsPublished") is True]


def mail_entries(rows: Sequence[Record], *, recipient: str) -> list[Entry]:
    """Return the mails that went to or came from the customer.

    Salesforce's own mark for visible mails is true for most of them, also for those to somebody else.
    """
    return [_mail(row) for row in rows if _is_shown(row, recipient.casefold())]


def next_milestone(rows: Sequence[Record]) -> datetime | None:
    """Return when the first milestone that is not completed is due, None without one."""
    with understood("read milestones"):
        due = [_time(row["TargetDate"]) for row in rows if row.get("IsCompleted") is False and row.get("TargetDate")]
    return min(due, default=None)


def _comment(row: Record, own_user: str) -> Entry:
    with understood("read comments"):
        creator = row.get("CreatedBy") or {}
        side: Side = "customer" if creator.get("Username") == own_user else "team"
        return Entry(
            id=id_of("read comments", row),
            kind="comment",
            side=side,
            author="" if side == "customer" else str(creator.get("FirstName") or ""),
            text=str(row.get("CommentBody") or ""),
            at=_time(row["CreatedDate"]),
        )


def _mail(row: Record) -> Entry:
    with understood("read mails"):
        side: Side = "customer" if row.get("Incoming") else "team"
        text = str(row.get("TextBody") or "").strip()
        return Entry(
            id=id_of("read mails", row),
            kind="mail",
            side=side,
            # Anybody can write a name into a mail: the customer's own is told by the address alone.
            author="" if side == "customer" else str((row.get("CreatedBy") or {}).get("FirstName") or ""),
            text=text,
            html="" if text else str(row.get("HtmlBody") or ""),
            at=_time(row["CreatedDate"]),
        )


def _is_shown(row: Record, recipient: str) -> bool:
    if not recipient or row.get("IsExternallyVisible") is not True or str(row.get("Status")) == _DRAFT:
        return False
    listed = [str(row.get(name) or "") for name in ("FromAddress", "ToAddress", "CcAddress")]
    return recipient in _addresses(listed)


def _addresses(lists: Sequence[str]) -> set[str]:
    """Return the addresses in lists that Salesforce separates by semicolons."""
    return {address.casefold() for _, address in getaddresses([text.replace(";", ",") for text in lists])}


def _time(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
