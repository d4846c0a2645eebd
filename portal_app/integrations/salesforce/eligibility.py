"""Address checks and opportunities in Salesforce: implements EligibilityGateway."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast, get_args

from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.internet.eligibility import AddressCheck, CheckRequest, CheckStatus
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import today
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.responses import (
    checked_id,
    external_id_path,
    id_of,
    new_id_of,
    read_each,
    understood,
)
from portal_app.language.format import JAPAN

_FIELDS = (
    "Id", "Internet_Eligibility_Status__c", "Internet_Eligibility__c", "Internet_Eligibility_Requested_At__c",
    "Internet_Eligibility_Checked_At__c", "Internet_Eligibility_Note__c", "SystemModstamp",
)  # fmt: skip
_ACCOUNTS = " ".join(("SELECT", ", ".join(_FIELDS), "FROM Account WHERE Id IN {ids}"))
_CASE = "SELECT Id FROM Case WHERE Portal_Reference__c = {reference} LIMIT 1"
# An opportunity that became a line has the line's service and is another story.
_OPEN = (
    "SELECT Id FROM Opportunity WHERE AccountId = {account} AND StageName IN ('Introduction', 'Ready') "
    "AND WHMCS_Service_ID__c = null ORDER BY CreatedDate DESC LIMIT 1"
)
_LINKED = (
    "SELECT Id FROM Opportunity WHERE AccountId = {account} AND WHMCS_Service_ID__c = {service} "
    "AND StageName <> 'Void' LIMIT 1"
)
_TITLE = "Internet"


class SalesforceEligibility:
    """Ask agents about addresses, read what they found, and tie opportunities to services."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    async def check_of(self, sf_account_id: str) -> AddressCheck:
        """Return where the check of an account stands. Raises NotFound."""
        row = await self._client.read("Account", sf_account_id, _FIELDS)
        with understood("address check"):
            return _check_of(row)

    async def checks_of(self, sf_account_ids: Sequence[str]) -> list[AddressCheck]:
        """Return those of at most 200 accounts that exist, in one call."""
        if not sf_account_ids:
            return []
        ids = [checked_id(account_id) for account_id in sf_account_ids]
        return read_each(await self._client.query(_ACCOUNTS, ids=ids), _check_of, listing="address checks")

    async def request(self, customer: Customer, request: CheckRequest) -> None:
        """Create opportunity and case and set the account Pending, all or none. Safe to repeat.

        A case that is there came with all the rest, and with what agents made of it since.
        """
        if await self._client.query(_CASE, reference=str(request.id)):
            return
        account = salesforce_id(customer.sf_account_id)
        opportunity = await self._client.query(_OPEN, account=account)
        new = _opportunity(request) | {"AccountId": account}
        parts = [] if opportunity else [Part("opportunity", "POST", "sobjects/Opportunity", new)]
        case_path = external_id_path("Case", "Portal_Reference__c", str(request.id))
        pending = {
            "Internet_Eligibility_Status__c": "Pending",
            "Internet_Eligibility__c": None,
            "Internet_Eligibility_Requested_At__c": request.requested_at.isoformat(),
            "Internet_Eligibility_Checked_At__c": None,
            "Internet_Eligibility_Note__c": None,
        }
        parts += [
            Part("case", "PATCH", case_path, _case(customer, request)),
            Part("account", "PATCH", f"sobjects/Account/{account}", pending),
        ]
        await self._client.composite("request address check", parts, safe=False)

    async def link_line(self, sf_account_id: str, *, service_id: int, title: str) -> str:
        """Tie the account's opportunity, or a new one, to a WHMCS service; return its id. Safe to repeat."""
        account = salesforce_id(sf_account_id)
        if linked := await self.opportunity_of(account, service_id):
            return linked
        line = {"StageName": "Active", "WHMCS_Service_ID__c": str(service_id), "Name": f"{_TITLE}: {title}"[:120]}
        if found := await self._client.query(_OPEN, account=account):
            opportunity = id_of("find opportunity", found[0])
            await self._client.update("Opportunity", opportunity, line)
            return opportunity
        new = line | {"AccountId": account, "CloseDate": today().isoformat(), "Portal_Source__c": "Order"}
        done = await self._client.composite(
            "create opportunity", [Part("opportunity", "POST", "sobjects/Opportunity", new)], safe=False
        )
        return new_id_of("create opportunity", done["opportunity"], safe=False)

    async def opportunity_of(self, sf_account_id: str, service_id: int) -> str | None:
        """Return the opportunity that a WHMCS service is tied to, unless it is void."""
        account = salesforce_id(sf_account_id)
        linked = await self._client.query(_LINKED, account=account, service=str(service_id))
        return id_of("find opportunity", linked[0]) if linked else None

    async def void(self, opportunity_id: str) -> None:
        """Close an opportunity whose line was taken back. Safe to repeat."""
        await self._client.update("Opportunity", opportunity_id, {"StageName": "Void"})


def _check_of(row: Mapping[str, Any]) -> AddressCheck:
    return AddressCheck(
        account_id=salesforce_id(str(row["Id"])),
        status=_status(row),
        changed_at=datetime.fromisoformat(str(row["SystemModstamp"])),
        offers=tuple(filter(None, str(row.get("Internet_Eligibility__c") or "").split(";"))),
        note=str(row.get("Internet_Eligibility_Note__c") or ""),
        requested_at=_moment(row.get("Internet_Eligibility_Requested_At__c")),
        checked_at=_moment(row.get("Internet_Eligibility_Checked_At__c")),
    )


def _status(row: Mapping[str, Any]) -> CheckStatus:
    """Read the state; an account that was never asked about has none. Raises ValueError for a word we do not know."""
    word = str(row.get("Internet_Eligibility_Status__c") or "not_requested").lower().replace(" ", "_")
    if word not in get_args(CheckStatus):
        raise ValueError("an unknown state")
    return cast(CheckStatus, word)


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def _opportunity(request: CheckRequest) -> dict[str, Any]:
    # It carries the reference of the case: Salesforce's case has no field for an opportunity.
    return {
        "Name": f"{_TITLE}: {request.address.prefecture}{request.address.city}"[:120],
        "StageName": "Introduction",
        "CloseDate": request.requested_at.astimezone(JAPAN).date().isoformat(),
        "Portal_Source__c": f"Address check {request.id}",
    }


def _case(customer: Customer, request: CheckRequest) -> dict[str, Any]:
    return {
        "Origin": "Portal Website",
        "Status": "New",
        "Subject": f"Address check for {customer.customer_number}",
        "Description": _lines(request.address),
        "Portal_Kind__c": "Address Check",
        "Portal_Category__c": "Internet line",
        "AccountId": salesforce_id(customer.sf_account_id),
        "ContactId": salesforce_id(customer.sf_contact_id) if customer.sf_contact_id else None,
    }


def _lines(address: Address) -> str:
    return (
        "Find out which fibre lines this address can have and write it into the account: state, offers, note.\n\n"
        f"〒{address.postcode}\n{address.prefecture}{address.city}{address.town}{address.street}\n{address.building}"
    ).strip()
