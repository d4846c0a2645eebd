"""What a support agent can do: answer a case, note something for colleagues, write and receive mails, set a status."""

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol

from sandbox.back_office.actions import Rows, UnknownRecord, WrongState
from sandbox.back_office.case_work import CaseWork
from sandbox.salesforce.calls import Call
from sandbox.salesforce.errors import SalesforceError

_FIELDS = (
    "Id, CaseNumber, Subject, Description, Status, Priority, Origin, AccountId, ParentId, OwnerId, IsClosed,"
    " HasCommentsUnreadByOwner, SuppliedEmail, Portal_Kind__c, Portal_Category__c, Portal_About__c,"
    " Portal_Reference__c, Portal_Last_Message__c, Portal_Language__c, Portal_Rating__c, Portal_Rating_Words__c,"
    " CreatedDate"
)
_CASES = f"SELECT {_FIELDS} FROM Case ORDER BY CreatedDate DESC, Id DESC"
_COMMENTS = "SELECT Id, ParentId, CommentBody, IsPublished, CreatedBy.Name, CreatedDate FROM CaseComment"
_MAILS = (
    "SELECT Id, ParentId, Subject, TextBody, HtmlBody, FromAddress, ToAddress, Incoming, IsExternallyVisible,"
    " CreatedDate FROM EmailMessage"
)
_LINKS = "SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{case}'"
_LINK_IDS = "SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '{document}'"
_VERSIONS = (
    "SELECT Id, ContentDocumentId, PathOnClient, Title, ContentSize, Checksum, Description FROM ContentVersion"
    " WHERE ContentDocumentId = '{document}' AND IsLatest = true"
)
_OUR_ADDRESS = "support@sandbox.example"
Action = Callable[[str, dict[str, Any]], str]


def values_of(action: str, form: dict[str, str]) -> dict[str, Any]:
    """Return the values of an action from the fields of its form: a tick is there or not, what is empty counts not."""
    values: dict[str, Any] = {name: text for name, text in form.items() if text}
    if action in ("comment", "change"):
        values["public"] = "public" in form
    if action == "mail":
        values["incoming"] = "incoming" in form
        values["fields"] = {"IsExternallyVisible": "visible" in form}
        if "date" in values:
            values["fields"]["MessageDate"] = values.pop("date")
    return values


class Files(Protocol):
    """What the back office needs of the sandbox's files."""

    def create(self, call: Call, fields: dict[str, Any]) -> str: ...


class SupportCases:
    """The support cases of the back office, for the page and JSON alike. Each action returns the id it wrote."""

    def __init__(self, salesforce: Rows, files: Files) -> None:
        self._salesforce = salesforce
        self._files = files
        self._actions: dict[str, Action] = {
            "comment": self._comment, "change": self._change_comment, "mail": self._mail, "set": self._set,
            "file": self._file,
        } | CaseWork(salesforce).actions  # fmt: skip

    def cases(self) -> list[dict[str, Any]]:
        """Return every case with its comments and mails, newest case first."""
        comments, mails = self._salesforce.query(_COMMENTS), self._salesforce.query(_MAILS)
        return [
            case | {
                "comments": [row for row in comments if row["ParentId"] == case["Id"]],
                "mails": [row for row in mails if row["ParentId"] == case["Id"]],
                "files": self._files_of(case["Id"]),
            }
            for case in self._salesforce.query(_CASES)
        ]  # fmt: skip

    def act(self, case_id: str, action: str, values: dict[str, Any]) -> str:
        """Do one thing to a case. Raises UnknownRecord, and WrongState with what the org says."""
        work = self._actions.get(action)
        if work is None or self._salesforce.get("Case", case_id) is None:
            raise UnknownRecord(case_id)
        try:
            return work(case_id, values)
        except SalesforceError as error:
            raise WrongState(error.message) from error

    def _comment(self, case_id: str, values: dict[str, Any]) -> str:
        row = {"ParentId": case_id, "CommentBody": values["text"], "IsPublished": bool(values.get("public", True))}
        return self._salesforce.create("CaseComment", row)

    def _change_comment(self, case_id: str, values: dict[str, Any]) -> str:
        """Edit or publish a comment."""
        comment = str(values["comment"])
        row = self._salesforce.get("CaseComment", comment)
        if row is None or row["ParentId"] != case_id:
            raise UnknownRecord(comment)
        names = {"text": "CommentBody", "public": "IsPublished"}
        self._salesforce.update("CaseComment", comment, {names[name]: values[name] for name in names if name in values})
        return comment

    def _mail(self, case_id: str, values: dict[str, Any]) -> str:
        """Write a mail of the team, or with `incoming` one that came in."""
        incoming = bool(values.get("incoming"))
        row = {"ParentId": case_id, "Incoming": incoming, "Status": "0" if incoming else "3"}
        row |= {"FromAddress": values["from"] if incoming else _OUR_ADDRESS}
        row |= {"ToAddress": _OUR_ADDRESS if incoming else values["to"], "Subject": values.get("subject", "")}
        row |= {"TextBody": values.get("text"), "HtmlBody": values.get("html")}
        return self._salesforce.create("EmailMessage", row | values.get("fields", {}))

    def _file(self, case_id: str, values: dict[str, Any]) -> str:
        """Add a file to a case, or with `mail` to one of its mails; hidden from customers unless it is `public`.

        `content` is base64; `scan` is what the virus scanner says of it. Returns the id of the document.
        """
        place = str(values.get("mail") or case_id)
        fields = {"PathOnClient": values["name"], "FirstPublishLocationId": place}
        call = Call("POST", (), blob=BytesIO(base64.b64decode(str(values["content"]), validate=True)))
        version = self._files.create(call, fields)
        document = str((self._salesforce.get("ContentVersion", version) or {})["ContentDocumentId"])
        if values.get("public", True):
            self._share(document)
        if values.get("scan"):
            self._salesforce.update("ContentVersion", version, {"MalwareScanStatus": values["scan"]}, system=True)
        if place != case_id:
            self._salesforce.update("EmailMessage", place, {"HasAttachment": True})
        return document

    def _share(self, document: str) -> None:
        """Give customers access to a file."""
        for link in self._salesforce.query(_LINK_IDS.format(document=document)):
            self._salesforce.update("ContentDocumentLink", link["Id"], {"Visibility": "AllUsers"})

    def _files_of(self, case_id: str) -> list[dict[str, Any]]:
        links = self._salesforce.query(_LINKS.format(case=case_id))
        versions = [self._salesforce.query(_VERSIONS.format(document=link["ContentDocumentId"])) for link in links]
        return [row for rows in versions for row in rows]

    def _set(self, case_id: str, values: dict[str, Any]) -> str:
        """Set fields of the case, such as Status."""
        self._salesforce.update("Case", case_id, values)
        return case_id
