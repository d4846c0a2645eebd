"""What the agent who checks identities can do: look at a customer's documents, verify or reject."""

from collections import defaultdict

from sandbox.back_office.actions import Rows, UnknownRecord
from sandbox.store import Document, Store
from sandbox.streamed import Content

_ACCOUNTS = (
    "SELECT Id, Name, SF_Account_No__c, Id_Verification_Status__c, Id_Verification_Submitted_At__c, "
    "Id_Verification_Note__c FROM Account WHERE SF_Account_No__c != null"
)
_VERSIONS = "SELECT Id, PathOnClient, ContentSize, ContentDocumentId FROM ContentVersion WHERE IsLatest = true"
_DECISIONS = {"verify": "Verified", "reject": "Rejected"}


class IdentityChecks:
    """The identity side of the back office, for the page and JSON alike."""

    def __init__(self, salesforce: Rows, store: Store) -> None:
        self._salesforce = salesforce
        self._store = store

    def customers(self) -> list[Document]:
        """Return the customers with their documents, those to be checked first."""
        files = self._files()
        rows = sorted(self._salesforce.query(_ACCOUNTS), key=lambda row: row["SF_Account_No__c"])
        shown = [
            {
                "number": row["SF_Account_No__c"], "name": row["Name"],
                "status": row["Id_Verification_Status__c"] or "Not Submitted",
                "note": row["Id_Verification_Note__c"] or "", "files": files[row["Id"]],
                "submitted_at": row["Id_Verification_Submitted_At__c"] or "",
            }
            for row in rows
        ]  # fmt: skip
        return sorted(shown, key=lambda row: row["status"] != "Submitted")

    def decide(self, number: str, action: str, note: str) -> None:
        """Verify or reject a customer's identity. Raises UnknownRecord."""
        rows = [row for row in self._salesforce.query(_ACCOUNTS) if row["SF_Account_No__c"] == number]
        if not rows or action not in _DECISIONS:
            raise UnknownRecord(number)
        fields = {"Id_Verification_Status__c": _DECISIONS[action], "Id_Verification_Note__c": note[:255] or None}
        self._salesforce.update("Account", rows[0]["Id"], fields)

    def content(self, version_id: str) -> tuple[str, Content]:
        """Return a document's name and content. Raises UnknownRecord."""
        version = self._salesforce.get("ContentVersion", version_id)
        if version is None:
            raise UnknownRecord(version_id)
        return str(version["PathOnClient"]), Content(int(version["ContentSize"]), self._store.file(version_id))

    def _files(self) -> dict[str, list[Document]]:
        versions = {row["ContentDocumentId"]: row for row in self._salesforce.query(_VERSIONS)}
        found: dict[str, list[Document]] = defaultdict(list)
        for account in self._salesforce.query(_ACCOUNTS):
            query = f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{account['Id']}'"
            for link in self._salesforce.query(query):
                if version := versions.get(link["ContentDocumentId"]):
                    row = {"id": version["Id"], "name": version["PathOnClient"], "size": int(version["ContentSize"])}
                    found[account["Id"]].append(row)
        return found
