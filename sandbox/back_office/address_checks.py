"""What the agent who checks addresses can do: look up what a building can have, and write it into the account."""

from sandbox.back_office.actions import Rows, UnknownRecord, WrongState
from sandbox.store import Document

OFFERS = ("Home 1G", "Apartment 1G", "Apartment 100M", "Home 10G", "Apartment 10G")
_LONGEST_NOTE = 255
_ACCOUNTS = (
    "SELECT Id, Name, SF_Account_No__c, BillingPostalCode, BillingState, BillingCity, BillingStreet, "
    "Internet_Eligibility_Status__c, Internet_Eligibility__c, Internet_Eligibility_Requested_At__c, "
    "Internet_Eligibility_Checked_At__c, Internet_Eligibility_Note__c FROM Account"
)
_CASES = "SELECT AccountId, CaseNumber, Status, Portal_Reference__c FROM Case WHERE Portal_Kind__c = 'Address Check'"
_OPPORTUNITIES = "SELECT Id, AccountId, StageName, Name, Portal_Source__c, WHMCS_Service_ID__c FROM Opportunity"
_ADDRESS = ("BillingPostalCode", "BillingState", "BillingCity", "BillingStreet")


class AddressChecks:
    """The address checks of the back office, for the page and JSON alike."""

    def __init__(self, salesforce: Rows) -> None:
        self._salesforce = salesforce

    def checks(self) -> list[Document]:
        """Return every account that was asked about, what waits for an answer first."""
        rows = [row for row in self._salesforce.query(_ACCOUNTS) if _status(row) != "Not Requested"]
        cases, chances = self._salesforce.query(_CASES), self._salesforce.query(_OPPORTUNITIES)
        shown = [self._check(row, cases, chances) for row in rows]
        shown.sort(key=lambda check: str(check["requested_at"] or ""), reverse=True)
        return sorted(shown, key=lambda check: check["status"] != "Pending")

    def answer(self, account_id: str, offers: list[str], note: str) -> None:
        """Store what a building can have; no offer means nothing. Raises UnknownRecord, WrongState."""
        account = self._salesforce.get("Account", account_id)
        if account is None or not set(offers) <= set(OFFERS):
            raise UnknownRecord(account_id)
        if len(note) > _LONGEST_NOTE:
            raise WrongState("The note is too long.")
        self._salesforce.update("Account", account_id, {
            "Internet_Eligibility_Status__c": "Eligible" if offers else "Ineligible",
            "Internet_Eligibility__c": ";".join(offers) or None,
            "Internet_Eligibility_Note__c": note or None,
        })  # fmt: skip

    def _check(self, row: Document, cases: list[Document], chances: list[Document]) -> Document:
        found = row["Internet_Eligibility__c"] or ""
        return {
            "id": row["Id"], "customer": row["Name"], "customer_number": row["SF_Account_No__c"],
            "status": _status(row), "offers": found.split(";") if found else [],
            "note": row["Internet_Eligibility_Note__c"] or "",
            "address": " ".join(row[name] or "" for name in _ADDRESS),
            "requested_at": row["Internet_Eligibility_Requested_At__c"],
            "checked_at": row["Internet_Eligibility_Checked_At__c"],
            "cases": [case for case in cases if case["AccountId"] == row["Id"]],
            "opportunities": [chance for chance in chances if chance["AccountId"] == row["Id"]],
        }  # fmt: skip


def _status(row: Document) -> str:
    return str(row["Internet_Eligibility_Status__c"] or "Not Requested")
