"""Cancellations as agents see them: the service's opportunity and a case. Implements CancellationCaseGateway."""

from typing import Any

from portal_app.domain.catalog.plan import Category
from portal_app.domain.identifiers import salesforce_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.responses import id_of, new_id_of
from portal_app.language.format import day

# The org distinguishes internet and SIM; other categories have no value there.
_KINDS: dict[Category, str] = {"internet": "Internet", "sim": "SIM"}
_STAGES = {"withdrawn": "Active", "ended": "Cancelled"}
_FIND = (
    "SELECT Id, WHMCS_Service_ID__c FROM Opportunity WHERE AccountId = {account} AND "
    "(WHMCS_Service_ID__c = {service} OR Id = {known}) ORDER BY CreatedDate DESC LIMIT 1"
)
_NO_ID = "000000000000000AAA"
_SUBJECT_LENGTH, _REASON_LENGTH, _NAME_LENGTH = 255, 255, 120


class SalesforceCancellations:
    """Write what becomes of a cancellation into the org."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    async def show(self, customer: Customer, request: CancellationRequest, *, opportunity_id: str) -> None:
        """Bring opportunity and case to where the request stands. Safe to repeat."""
        await self._opportunity(customer, request, opportunity_id)
        await self._case(customer, request)

    async def _opportunity(self, customer: Customer, request: CancellationRequest, known: str) -> None:
        service = str(request.service_id)
        found = await self._client.query(
            _FIND, account=customer.sf_account_id, service=service, known=_id_or_none(known)
        )
        stands = {"StageName": _STAGES.get(request.state, "Cancelling"), "WHMCS_Service_ID__c": service}
        stands |= _fields(request)
        if found:
            await self._client.update("Opportunity", id_of("find opportunity", found[0]), stands)
        elif request.state != "withdrawn":
            # Found by the service's id before any second call: a lost answer makes no second one.
            new = stands | {
                "Name": f"Cancellation: {request.service_name}"[:_NAME_LENGTH],
                "AccountId": salesforce_id(customer.sf_account_id),
                "CloseDate": request.ends_on.isoformat(),
                "Portal_Source__c": f"Portal cancellation {request.id}",
            }
            done = await self._client.composite(
                "create opportunity", [Part("opportunity", "POST", "sobjects/Opportunity", new)], safe=False
            )
            new_id_of("create opportunity", done["opportunity"], safe=False)

    async def _case(self, customer: Customer, request: CancellationRequest) -> None:
        reference = str(request.id)
        query = "SELECT Id FROM Case WHERE Portal_Reference__c = {reference} LIMIT 1"
        is_known = bool(await self._client.query(query, reference=reference))
        if not is_known and request.state == "withdrawn":
            return
        case: dict[str, Any] = {"Subject": _subject(request)[:_SUBJECT_LENGTH], "Description": _description(request)}
        if not is_known:
            case |= {
                "Origin": "Portal Website",
                "Status": "New",
                "Priority": "Medium",
                "Portal_Kind__c": "Cancellation",
                "AccountId": salesforce_id(customer.sf_account_id),
                "ContactId": salesforce_id(customer.sf_contact_id),
            }
        if request.state in ("withdrawn", "ended"):
            case["Status"] = "Closed"
        if request.state == "refused":
            case |= {"Status": "New", "Priority": "High"}
        await self._client.upsert("Case", "Portal_Reference__c", reference, case)


def _fields(request: CancellationRequest) -> dict[str, Any]:
    if request.state == "withdrawn":
        names = ("Kind", "Month", "Reason", "Requested_At")
        return {f"Cancellation_{name}__c": None for name in names}
    return {
        "Cancellation_Kind__c": _KINDS.get(request.category),
        "Cancellation_Month__c": request.ends_on.isoformat(),
        "Cancellation_Reason__c": request.reason_text[:_REASON_LENGTH],
        "Cancellation_Requested_At__c": request.asked_at.isoformat(timespec="seconds"),
    }


def _subject(request: CancellationRequest) -> str:
    words = {
        "withdrawn": "Cancellation withdrawn: {name}",
        "ended": "Service ended: {name}",
        "refused": "Cancellation not possible at WHMCS: {name}",
    }.get(request.state, "Cancellation: {name}, last day {day}")
    return words.format(name=request.service_name, day=day(request.ends_on))


def _description(request: CancellationRequest) -> str:
    lines = (
        f"Service {request.service_id} at WHMCS: {request.service_name}",
        f"Last day: {request.ends_on.isoformat()} (Japan)",
        f"Reason: {request.reason_text}",
        f"Asked for: {request.asked_at:%Y-%m-%d %H:%M} UTC",
        f"Can be withdrawn until: {request.withdraw_until.isoformat()} (Japan)",
        f"State: {request.state}",
    )
    return "\n".join(lines)


def _id_or_none(text: str) -> str:
    """Return an id that can stand in a query; an invalid one matches nothing."""
    try:
        return salesforce_id(text)
    except ValueError:
        return _NO_ID
