"""Accounts and contacts that were in the org before the portal: implements CrmDirectory."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from portal_app.domain.errors import Conflict
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.ports.whmcs_accounts import CrmPerson, MigratingCustomer
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.responses import external_id_path, id_of, new_id_of, understood

_CLIENT = re.compile(r"#(\d+)\b")
# What Salesforce keeps of each field; above it answers STRING_TOO_LONG.
_LONGEST = {
    "Name": 255, "Phone": 40, "BillingStreet": 255, "BillingCity": 40, "BillingState": 80, "BillingPostalCode": 20,
    "BillingCountry": 80, "FirstName": 40, "LastName": 80, "Email": 80,
}  # fmt: skip
Row = Mapping[str, Any]


class SalesforceExistingAccounts:
    """Find people by address, and make their accounts the portal's. Salesforce compares addresses without case."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    async def find_person(self, email: str) -> CrmPerson | None:
        """Return whose account has a contact with this address and a customer number, if it is one account only."""
        contacts = await self._client.query(
            "SELECT AccountId, Account.SF_Account_No__c, Account.WH_Account__c FROM Contact WHERE Email = {email} "
            "AND Account.SF_Account_No__c != null LIMIT 20",
            email=email,
        )
        accounts = {id_of("find person", row, "AccountId"): row.get("Account") or {} for row in contacts}
        if len(accounts) != 1:
            return None
        ((account_id, account),) = accounts.items()
        with understood("find person"):
            is_billed = _client_of(account.get("WH_Account__c")) > 0
            return CrmPerson(account_id, str(account["SF_Account_No__c"]), is_billed=is_billed)

    async def claim_contact(self, customer_number: str, email: str, user_id: UUID) -> None:
        """Tie the one free contact with this address in an account to our user. Safe to repeat."""
        contacts = await self._client.query(
            "SELECT Id FROM Contact WHERE Account.SF_Account_No__c = {number} AND Email = {email} "
            "AND Portal_User_Id__c = null LIMIT 2",
            number=customer_number,
            email=email,
        )
        if len(contacts) == 1:
            contact = id_of("claim contact", contacts[0])
            await self._client.update("Contact", contact, {"Portal_User_Id__c": str(user_id)})

    async def adopt(self, customer: MigratingCustomer) -> CrmCustomer:
        """Make an account the portal's, or create it, and tie one contact to our user. Raises Conflict."""
        accounts = await self._client.query(
            "SELECT Id, WH_Account__c FROM Account WHERE SF_Account_No__c = {number} LIMIT 1",
            number=customer.customer_number,
        )
        client = customer.client
        contact_path = external_id_path("Contact", "Portal_User_Id__c", str(customer.user_id))
        person = _fitted({"FirstName": client.first_name, "LastName": client.last_name, "Email": customer.email})
        contact = Part("contact", "PATCH", contact_path, person | {"AccountId": "@{account.id}"})
        if accounts:
            if _client_of(accounts[0].get("WH_Account__c")) not in (0, client.id):
                raise Conflict("the Salesforce account names another WHMCS client")
            contact = await self._contact_part(id_of("adopt customer", accounts[0]), customer) or contact
        account_path = external_id_path("Account", "SF_Account_No__c", customer.customer_number)
        account = Part("account", "PATCH", account_path, _account(customer, is_new=not accounts))
        done = await self._client.composite("adopt customer", [account, contact], safe=True)
        # Setting fields of a known contact answers nothing; its id stands in the address.
        answer = done["contact"] or {"id": contact.path.rpartition("/")[2]}
        account_id = new_id_of("adopt customer", done["account"], safe=True)
        return CrmCustomer(account_id, new_id_of("adopt customer", answer, safe=True))

    async def _contact_part(self, account_id: str, customer: MigratingCustomer) -> Part | None:
        """Return how the contact that is there becomes our user's, or None where there is none to take."""
        contacts = await self._client.query(
            "SELECT Id, Email, Portal_User_Id__c FROM Contact WHERE AccountId = {account} LIMIT 200",
            account=account_id,
        )
        ours = str(customer.user_id)
        if any(row.get("Portal_User_Id__c") not in (None, "", ours) for row in contacts):
            raise Conflict("the Salesforce account belongs to another portal user")
        chosen = _best(contacts, customer.email, ours)
        if chosen is None:
            return None
        contact = id_of("adopt customer", chosen)
        return Part("contact", "PATCH", f"sobjects/Contact/{contact}", {"Portal_User_Id__c": ours})


def _best(contacts: Sequence[Row], email: str, ours: str) -> Row | None:
    already = [row for row in contacts if row.get("Portal_User_Id__c") == ours]
    same = [row for row in contacts if str(row.get("Email") or "").casefold() == email.casefold()]
    return next(iter(already or same or (contacts if len(contacts) == 1 else ())), None)


def _account(customer: MigratingCustomer, *, is_new: bool) -> dict[str, Any]:
    client, address = customer.client, customer.address
    name = f"{client.first_name} {client.last_name}".strip()
    ours = {
        "WH_Account__c": f"#{client.id} - {name}",
        "Portal_Status__c": "Active",
        "Portal_Registration_Source__c": "Migrated",
    }
    if not is_new:
        # The agents' name, phone and address of an account that is there already stay as they are.
        return ours
    # WHMCS knows the address in Latin letters only; the customer's next change brings the Japanese one.
    street = "\n".join(filter(None, (address.line1, address.line2)))
    return ours | _fitted(
        {
            "Name": name,
            "Phone": client.phone,
            "BillingStreet": street,
            "BillingCity": address.city,
            "BillingState": address.state,
            "BillingPostalCode": address.postcode,
            "BillingCountry": "Japan",
        }
    )


def _fitted(values: dict[str, str]) -> dict[str, str | None]:
    """Return texts cut to what Salesforce keeps of each field: WHMCS keeps more, and stays as it is."""
    return {name: value[: _LONGEST[name]].strip() or None for name, value in values.items()}


def _client_of(text: object) -> int:
    """Return the WHMCS client named by `#<id> - <name>`, 0 for none."""
    found = _CLIENT.match(str(text or ""))
    return int(found[1]) if found else 0
