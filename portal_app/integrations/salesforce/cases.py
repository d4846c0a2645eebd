"""A customer's cases in Salesforce, with what in them is for the customer. Implements CaseGateway.

Case, CaseComment and EmailMessage: Object Reference for the Salesforce Platform. Composite: REST API Developer Guide.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.help.contact import Stranger
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.ports.support import RemoteCase, RemoteThread, WrittenReplies
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import CaseCategory, NewCase
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.case_rows import (
    CASE_FIELDS,
    case_of,
    comment_entries,
    mail_entries,
    next_milestone,
)
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.errors import VENDOR, SalesforceRejected
from portal_app.integrations.salesforce.files import LINKS_OF_CASE, linked_files, links_of_mails
from portal_app.integrations.salesforce.responses import Record, checked_id, id_of, new_id_of, understood

_SELECT = " ".join(("SELECT", CASE_FIELDS, "FROM Case"))
_OF_ACCOUNT = _SELECT + " WHERE AccountId = {account} ORDER BY CreatedDate DESC, Id DESC LIMIT 2000"
_BY_ID = _SELECT + " WHERE Id IN {ids}"
_BY_REFERENCE = "SELECT Id FROM Case WHERE Portal_Reference__c = {reference}"
_WITH_LAST_MESSAGE = "SELECT Id, Portal_Last_Message__c FROM Case WHERE Id = {case}"
_OWN_COMMENTS = (
    "SELECT Id, CommentBody FROM CaseComment WHERE ParentId = {case} AND CreatedBy.Username = {user}"
    " ORDER BY CreatedDate, Id"
)
_CHANGED = "SELECT Id FROM Case WHERE SystemModstamp >= {since}"
_COMMENTED = "SELECT ParentId FROM CaseComment WHERE SystemModstamp >= {since}"
_SINCE = "SELECT Id, ParentId, SystemModstamp FROM {kind} WHERE ParentId IN {{ids}} AND SystemModstamp >= {{since}}"
# Salesforce filters links by ids alone where there are several.
_LINKED = "SELECT Id, LinkedEntityId, SystemModstamp FROM ContentDocumentLink WHERE LinkedEntityId IN {ids}"
_NEWS = {
    "comments": _SINCE.format(kind="CaseComment"),
    "mails": _SINCE.format(kind="EmailMessage"),
    "files": _LINKED,
}
_COMMENTS = (
    "SELECT Id, CommentBody, IsPublished, CreatedDate, CreatedBy.FirstName, CreatedBy.Username FROM CaseComment"
    " WHERE ParentId = {case} AND IsPublished = true ORDER BY CreatedDate, Id"
)
_MAILS = (
    "SELECT Id, Subject, TextBody, HtmlBody, FromAddress, FromName, ToAddress, CcAddress, Incoming, Status,"
    " IsExternallyVisible, HasAttachment, CreatedDate, CreatedBy.FirstName FROM EmailMessage"
    " WHERE ParentId = {case} ORDER BY CreatedDate, Id"
)
_MILESTONES = (
    "SELECT Id, TargetDate, IsCompleted FROM CaseMilestone WHERE CaseId = {case} AND IsCompleted = false"
    " ORDER BY TargetDate"
)
_IN_CASE = {"comments": _COMMENTS, "mails": _MAILS, "milestones": _MILESTONES, "files": LINKS_OF_CASE}
_CLOSED_STATUSES = "SELECT ApiName FROM CaseStatus WHERE IsClosed = true ORDER BY SortOrder"
# A merged case is deleted or kept, as the org is set up; both name the one it went into.
_MASTERS = "SELECT Id, MasterRecordId FROM Case WHERE Id IN {ids} AND MasterRecordId != null"
_CATEGORIES: dict[CaseCategory, str] = {
    "billing": "Billing",
    "internet": "Internet line",
    "sim": "SIM",
    "vpn": "VPN",
    "order": "Order",
    "account": "Account",
    "other": "Other",
}
# What stops a customer's service comes first for the team; a customer does not choose a priority.
_PRIORITIES: dict[CaseCategory, str] = {"internet": "High", "sim": "High"}
# Without it Salesforce gives a changed case to the owner that its assignment rules name.
_KEEP_OWNER = {"Sforce-Auto-Assign": "FALSE"}
_LAST_MESSAGE = "Portal_Last_Message__c"
# A field that does not exist, or that an administrator closed to our user.
_NO_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})


class SalesforceCases:
    """Read and write cases."""

    def __init__(self, client: SalesforceClient, settings: Settings) -> None:
        self._client = client
        self._own_user = settings.sf_username

    async def cases(self, customer: Customer) -> list[RemoteCase]:
        """Return the cases of an account, newest first, at most 2,000."""
        rows = await self._client.query(_OF_ACCOUNT, account=customer.sf_account_id)
        return [case_of(row) for row in rows]

    async def changed_cases(self, sf_case_ids: Sequence[str]) -> list[RemoteCase]:
        """Return those of at most 200 cases that exist, in one call."""
        ids = [checked_id(case_id) for case_id in sf_case_ids]
        return [case_of(row) for row in await self._client.query(_BY_ID, ids=ids)] if ids else []

    async def cases_changed_since(self, since: datetime) -> list[str]:
        """Return the ids of every case that changed, or whose comments did, since a moment."""
        cases = await self._client.wide_query(_CHANGED, since=since)
        comments = await self._client.wide_query(_COMMENTED, since=since)
        found = [id_of("cases changed", row) for row in cases]
        return list(dict.fromkeys([*found, *(id_of("cases changed", row, "ParentId") for row in comments)]))

    async def written_since(self, sf_case_ids: Sequence[str], since: datetime) -> dict[str, datetime]:
        """Return those of at most 200 cases in which a comment, mail or file came or changed, each with when.

        One composite call: no event tells of any of these, but by a flow that the org may not have.
        """
        ids, found = [checked_id(case_id) for case_id in sf_case_ids], dict[str, datetime]()
        parts = [Part.query(name, template, ids=ids, since=since) for name, template in _NEWS.items()]
        answer = await self._client.composite("look for news", parts, safe=True) if ids else {}
        for name, part in answer.items():
            with understood("look for news"):
                rows = list(part["records"])
            if part.get("done") is False:
                # A part of a composite answer has one page, and what is new may be on another.
                rows = await self._client.wide_query(_NEWS[name], ids=ids, since=since)
            with understood("look for news"):
                for row in rows:
                    case, at = row["LinkedEntityId" if name == "files" else "ParentId"], row["SystemModstamp"]
                    found[case] = max(found.get(case, since), datetime.fromisoformat(at))
        return {case: at for case, at in found.items() if at > since}

    async def thread(self, sf_case_id: str, *, recipient: str) -> RemoteThread:
        """Return a case with what in it is for the customer, by one composite call.

        A second call reads the files of its mails, where they have any. Raises NotFound.
        """
        case = checked_id(sf_case_id)
        parts = [Part.query("case", _BY_ID, ids=[case])]
        parts += [Part.query(name, template, case=case) for name, template in _IN_CASE.items()]
        found = await self._client.composite("read case", parts, safe=True)
        with understood("read case"):
            rows = {name: list(found[name]["records"]) for name in ("case", *_IN_CASE)}
        for name, template in _IN_CASE.items():
            # A part of a composite answer has one page: long mails make pages short.
            if found[name].get("done") is False:
                rows[name] = await self._client.query(template, case=case)
        if not rows["case"]:
            raise NotFound("no such case")
        mails = mail_entries(rows["mails"], recipient=recipient)
        entries = [*comment_entries(rows["comments"], own_user=self._own_user), *mails]
        entries.sort(key=lambda each: (each.at, each.id))
        shown = {mail.id for mail in mails}
        attached = [id_of("read mails", row) for row in rows["mails"] if row.get("HasAttachment")]
        links = await links_of_mails(self._client, [each for each in attached if each in shown])
        files = tuple(linked_files([*rows["files"], *links]))
        return RemoteThread(case_of(rows["case"][0]), tuple(entries), next_milestone(rows["milestones"]), files)

    async def open(self, customer: Customer, case_id: UUID, new: NewCase, *, language: str, recipient: str) -> str:
        """Open a case under our id and return Salesforce's. Safe to repeat: an upsert of the same values."""
        values = {
            **_new_case(new, language=language, recipient=recipient),
            "AccountId": salesforce_id(customer.sf_account_id),
            "ContactId": salesforce_id(customer.sf_contact_id),
        }
        return await self._client.upsert("Case", "Portal_Reference__c", str(case_id), values)

    async def open_for_stranger(self, stranger: Stranger, case_id: UUID, new: NewCase) -> str:
        """Open a case without an account under our id and return Salesforce's. Safe to repeat."""
        values = {
            **_new_case(new, language=stranger.language, recipient=stranger.email),
            "SuppliedName": stranger.name,
        }
        return await self._client.upsert("Case", "Portal_Reference__c", str(case_id), values)

    async def opened(self, case_id: UUID) -> str | None:
        """Return Salesforce's id of the case that was opened under our id, None for none."""
        rows = await self._client.query(_BY_REFERENCE, reference=str(case_id))
        return id_of("find case", rows[0]) if rows else None

    async def is_closed(self, sf_case_id: str) -> bool:
        """Return whether a case is closed now. Raises NotFound."""
        return (await self._client.read("Case", sf_case_id, ["IsClosed"])).get("IsClosed") is True

    async def reply(self, sf_case_id: str, message_id: UUID, comments: Sequence[str], *, reopen: bool) -> list[str]:
        """Write the comments of one message and our token at the case, all or none; return the comments' ids.

        An org whose administrator closed the token's field to us gets the comments without it: after a lost answer they
        are found by their texts.
        """
        token, status = {_LAST_MESSAGE: str(message_id)}, {"Status": "Working"} if reopen else {}
        try:
            return await self._write(checked_id(sf_case_id), token | status, comments)
        except SalesforceRejected as error:
            if error.error_code not in _NO_FIELD:
                raise
        return await self._write(checked_id(sf_case_id), status, comments)

    async def _write(self, case: str, change: Record, comments: Sequence[str]) -> list[str]:
        parts = [Part("case", "PATCH", f"sobjects/Case/{case}", change, _KEEP_OWNER)]
        for number, text in enumerate(comments):
            comment = {"ParentId": case, "CommentBody": text, "IsPublished": True}
            parts.append(Part(f"comment{number}", "POST", "sobjects/CaseComment", comment, _KEEP_OWNER))
        found = await self._client.composite("reply to case", parts, safe=False)
        return [new_id_of("reply to case", found[f"comment{number}"], safe=False) for number in range(len(comments))]

    async def written(self, sf_case_id: str, message_id: UUID) -> WrittenReplies:
        """Return what the case has of our replies, by one composite call. Raises NotFound."""
        case = checked_id(sf_case_id)
        parts = [
            Part.query("case", _WITH_LAST_MESSAGE, case=case),
            Part.query("comments", _OWN_COMMENTS, case=case, user=self._own_user),
        ]
        found = await self._client.composite("find reply", parts, safe=True)
        with understood("find reply"):
            cases, rows = (list(found[name]["records"]) for name in ("case", "comments"))
        if not cases:
            raise NotFound("no such case")
        comments = tuple((id_of("find reply", row), str(row.get("CommentBody") or "")) for row in rows)
        return WrittenReplies(cases[0].get(_LAST_MESSAGE) == str(message_id), comments)

    async def close(self, sf_case_id: str, message_id: UUID) -> None:
        """Close a case with the org's first closed status, whatever its name. Safe to repeat."""
        rows = await self._client.query(_CLOSED_STATUSES)
        if not rows:
            raise ExternalRejected("close case: the org has no closed status", vendor=VENDOR)
        await self._change(
            "close case", sf_case_id, {"Status": str(rows[0]["ApiName"]), _LAST_MESSAGE: str(message_id)}
        )

    async def rate(self, sf_case_id: str, grade: int, words: str) -> None:
        """Write a customer's grade and words at a case. Safe to repeat."""
        await self._change("rate case", sf_case_id, {"Portal_Rating__c": grade, "Portal_Rating_Words__c": words})

    async def masters(self, sf_case_ids: Sequence[str]) -> dict[str, str]:
        """Return the case into which each of these, at most 200, was merged; others are left out."""
        ids = [checked_id(case_id) for case_id in sf_case_ids]
        rows = await self._client.query_all(_MASTERS, ids=ids) if ids else []
        return {id_of("find masters", row): id_of("find masters", row, "MasterRecordId") for row in rows}

    async def _change(self, operation: str, sf_case_id: str, values: Record) -> None:
        """Set fields of a case, as often as needed, without handing it to another owner."""
        part = Part("case", "PATCH", f"sobjects/Case/{checked_id(sf_case_id)}", values, _KEEP_OWNER)
        await self._client.composite(operation, [part], safe=True)

    async def follow_up(self, sf_case_id: str, earlier_sf_case_id: str) -> None:
        """Note at a case that it continues another. Safe to repeat."""
        await self._change("link cases", sf_case_id, {"ParentId": checked_id(earlier_sf_case_id)})


def _new_case(new: NewCase, *, language: str, recipient: str) -> Record:
    return {
        "Origin": "Portal Website",
        "Priority": _PRIORITIES.get(new.category, "Medium"),
        "Subject": new.subject,
        "Description": "\n\n".join(filter(None, (new.text, new.context))),
        # Required where the org answers new cases by itself.
        "SuppliedEmail": recipient,
        "Portal_Kind__c": "Question",
        "Portal_Category__c": _CATEGORIES[new.category],
        "Portal_About__c": str(new.about or ""),
        "Portal_Language__c": language,
    }
