"""A customer's cases in Salesforce, with what in them is for the customer. Implements CaseGateway.

Case, CaseComment and EmailMessage: Object Reference for the Salesforce Platform. Composite: REST API Developer Guide.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from portal_app.domain.errors import NotFound
from portal_app.domain.help.contact import Stranger
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.ports.support import RemoteCase, RemoteThread
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import CaseCategory, NewCase
from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.case_files import LINKS_OF_CASE, linked_files, links_of_mails
from portal_app.integrations.salesforce.case_rows import CASE_FIELDS, case_of, comment_entries, mail_entries
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.responses import Record, checked_id, id_of, new_id_of, understood

_SELECT = " ".join(("SELECT", CASE_FIELDS, "FROM Case"))
_OF_ACCOUNT = _SELECT + " WHERE AccountId = {account} ORDER BY CreatedDate DESC, Id DESC LIMIT 2000"
_BY_ID = _SELECT + " WHERE Id IN {ids}"
_CHANGED = "SELECT Id FROM Case WHERE SystemModstamp >= {since}"
_COMMENTED = "SELECT ParentId FROM CaseComment WHERE SystemModstamp >= {since}"
_COMMENTS = (
    "SELECT Id, CommentBody, IsPublished, CreatedDate, CreatedBy.FirstName, CreatedBy.Username FROM CaseComment"
    " WHERE ParentId = {case} AND IsPublished = true ORDER BY CreatedDate, Id"
)
_MAILS = (
    "SELECT Id, Subject, TextBody, HtmlBody, FromAddress, FromName, ToAddress, CcAddress, Incoming, Status,"
    " IsExternallyVisible, HasAttachment, CreatedDate, CreatedBy.FirstName FROM EmailMessage"
    " WHERE ParentId = {case} ORDER BY CreatedDate, Id"
)
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

    async def thread(self, sf_case_id: str, *, recipient: str) -> RemoteThread:
        """Return a case with what in it is for the customer, by one composite call.

        A second call reads the files of its mails, where they have any. Raises NotFound.
        """
        case = checked_id(sf_case_id)
        found = await self._client.composite(
            "read case",
            [
                Part.query("case", _BY_ID, ids=[case]),
                Part.query("comments", _COMMENTS, case=case),
                Part.query("mails", _MAILS, case=case),
                Part.query("files", LINKS_OF_CASE, case=case),
            ],
            safe=True,
        )
        with understood("read case"):
            rows = {name: list(found[name]["records"]) for name in ("case", "comments", "mails", "files")}
        if not rows["case"]:
            raise NotFound("no such case")
        mails = mail_entries(rows["mails"], recipient=recipient)
        entries = [*comment_entries(rows["comments"], own_user=self._own_user), *mails]
        entries.sort(key=lambda each: (each.at, each.id))
        shown = {mail.id for mail in mails}
        attached = [id_of("read mails", row) for row in rows["mails"] if row.get("HasAttachment")]
        links = await links_of_mails(self._client, [each for each in attached if each in shown])
        files = linked_files([*rows["files"], *links])
        return RemoteThread(case_of(rows["case"][0]), tuple(entries), tuple(files))

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

    async def reply(self, sf_case_id: str, message_id: UUID, comments: Sequence[str], *, reopen: bool) -> list[str]:
        """Write the comments of one message and our token at the case, all or none; return the comments' ids."""
        case = checked_id(sf_case_id)
        change = {_LAST_MESSAGE: str(message_id)} | ({"Status": "Working"} if reopen else {})
        parts = [Part("case", "PATCH", f"sobjects/Case/{case}", change, _KEEP_OWNER)]
        for number, text in enumerate(comments):
            comment = {"ParentId": case, "CommentBody": text, "IsPublished": True}
            parts.append(Part(f"comment{number}", "POST", "sobjects/CaseComment", comment, _KEEP_OWNER))
        found = await self._client.composite("reply to case", parts, safe=False)
        return [new_id_of("reply to case", found[f"comment{number}"], safe=False) for number in range(len(comments))]

    async def last_message(self, sf_case_id: str) -> str:
        """Return the id of the last message of ours that the case has, or an empty text. Raises NotFound."""
        return str((await self._client.read("Case", sf_case_id, [_LAST_MESSAGE])).get(_LAST_MESSAGE) or "")

    async def follow_up(self, sf_case_id: str, earlier_sf_case_id: str) -> None:
        """Note at a case that it continues another. Safe to repeat."""
        change = {"ParentId": checked_id(earlier_sf_case_id)}
        part = Part("case", "PATCH", f"sobjects/Case/{checked_id(sf_case_id)}", change, _KEEP_OWNER)
        await self._client.composite("link cases", [part], safe=True)


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
