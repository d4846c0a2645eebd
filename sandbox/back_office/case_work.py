"""What an agent does to a whole case: removes a comment, merges cases, promises a time, opens it as its owner."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.back_office.actions import Rows, UnknownRecord
from sandbox.salesforce.values import datetime_text

_CHILDREN = "SELECT Id FROM {kind} WHERE ParentId = '{case}'"
_LINKS = "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case}'"
_BY_NUMBER = "SELECT Id FROM Case WHERE CaseNumber = '{number}'"
_OPEN_MILESTONES = "SELECT Id FROM CaseMilestone WHERE CaseId = '{case}' AND IsCompleted = false"
_MOST = 500
Action = Callable[[str, dict[str, Any]], str]


class CaseWork:
    """Each action takes the case and its values, and returns the id that it wrote."""

    def __init__(self, salesforce: Rows) -> None:
        self._salesforce = salesforce
        self.actions: dict[str, Action] = {
            "delete": self._delete_comment,
            "merge": self._merge,
            "milestone": self._promise,
            "burst": self._burst,
            "open": self._open,
            "remove": self._remove,
        }

    def _delete_comment(self, case_id: str, values: dict[str, Any]) -> str:
        """Delete a comment, as an administrator can."""
        comment = str(values["comment"])
        row = self._salesforce.get("CaseComment", comment)
        if row is None or row["ParentId"] != case_id:
            raise UnknownRecord(comment)
        self._salesforce.delete("CaseComment", comment)
        return comment

    def _merge(self, case_id: str, values: dict[str, Any]) -> str:
        """Merge a case into another, by that one's id or number: its comments, mails and files move; it is deleted.

        With `keep` it stays, closed, as orgs can be set up.
        """
        wanted = str(values["into"])
        found = self._salesforce.query(_BY_NUMBER.format(number=wanted)) if wanted.isdigit() else []
        master = str(found[0]["Id"]) if found else wanted
        if master == case_id or self._salesforce.get("Case", master) is None:
            raise UnknownRecord(wanted)
        for kind in ("CaseComment", "EmailMessage"):
            for row in self._salesforce.query(_CHILDREN.format(kind=kind, case=case_id)):
                self._salesforce.update(kind, row["Id"], {"ParentId": master}, system=True)
        for link in self._salesforce.query(_LINKS.format(case=case_id)):
            self._salesforce.update("ContentDocumentLink", link["Id"], {"LinkedEntityId": master}, system=True)
        self._salesforce.update("Case", case_id, {"MasterRecordId": master, "Status": "Closed"}, system=True)
        if not values.get("keep"):
            self._salesforce.delete("Case", case_id)
        # Flows do not run for what a merge moves: it is the master that changes.
        self._salesforce.update("Case", master, {})
        return master

    def _promise(self, case_id: str, values: dict[str, Any]) -> str:
        """Promise the next step by a time (`due`, ISO), or say with `done` that it was taken."""
        if values.get("done"):
            for row in self._salesforce.query(_OPEN_MILESTONES.format(case=case_id)):
                self._salesforce.update("CaseMilestone", row["Id"], {"IsCompleted": True}, system=True)
            self._salesforce.update("Case", case_id, {})
            return case_id
        due = datetime.fromisoformat(str(values["due"]))
        if due.tzinfo is None:
            raise ValueError("the time needs an offset from UTC")
        made = self._salesforce.create(
            "CaseMilestone", {"CaseId": case_id, "TargetDate": datetime_text(due)}, system=True
        )
        self._salesforce.update("Case", case_id, {})
        return made

    def _burst(self, case_id: str, values: dict[str, Any]) -> str:
        """Write many comments at once."""
        made = ""
        for number in range(1, min(int(values.get("count", 10)), _MOST) + 1):
            row = {"ParentId": case_id, "CommentBody": f"{values.get('text', 'Comment')} {number}", "IsPublished": True}
            made = self._salesforce.create("CaseComment", row)
        return made

    def _open(self, case_id: str, values: dict[str, Any]) -> str:
        """Open the case as its owner does: what the customer wrote counts as read."""
        self._salesforce.update("Case", case_id, {"HasCommentsUnreadByOwner": False}, system=True)
        return case_id

    def _remove(self, case_id: str, values: dict[str, Any]) -> str:
        """Delete the case."""
        self._salesforce.delete("Case", case_id)
        return case_id
