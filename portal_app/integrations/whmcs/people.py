"""A client's own data at WHMCS: implements PeopleGateway. The client is billed, its owner is the user who signs in."""

from portal_app.domain.profile.profile import BillingAddress, PersonalData, ProfileChange
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.encoding import FormValue
from portal_app.integrations.whmcs.fields import Row, is_yes, number_or_none, text
from portal_app.integrations.whmcs.reading import not_found_when, understood

_LANGUAGES = {"en": "english", "ja": "japanese"}
_TAKEN = "A user already exists with that email address"


class WHMCSPeople:
    """Read and change who a client is."""

    def __init__(self, client: WHMCSClient) -> None:
        self._client = client

    async def person(self, client_id: int) -> PersonalData:
        """Return a client's data. Raises NotFound (GetClientsDetails)."""
        row = await self._details(client_id)
        with understood("GetClientsDetails"):
            return person_of(row)

    async def change(self, client_id: int, change: ProfileChange) -> None:
        """Change a client and then the user who owns it. Safe to repeat (UpdateClient, UpdateUser)."""
        wanted = client_fields(change)
        if not wanted:
            return
        with not_found_when("Client ID Not Found"):
            await self._client.call("UpdateClient", {"clientid": client_id, **wanted}, safe=True)
        of_user = {name: value for name, value in wanted.items() if name in ("firstname", "lastname", "email")}
        if of_user:
            await self._change_owner(client_id, of_user)

    async def _change_owner(self, client_id: int, wanted: dict[str, FormValue]) -> None:
        row = await self._details(client_id)
        with understood("GetClientsDetails"):
            owner = number_or_none(row, "owner_user_id")
        if owner is None:
            return
        try:
            await self._client.call("UpdateUser", {"user_id": owner, **wanted}, safe=True)
        except WHMCSRejected as error:
            # Another WHMCS user has this address. Bills follow the client, so nothing is lost.
            if error.message != _TAKEN:
                raise

    async def _details(self, client_id: int) -> Row:
        with not_found_when("Client Not Found"):
            body = await self._client.call("GetClientsDetails", {"clientid": client_id}, safe=True)
        inner = body.get("client")
        return inner if isinstance(inner, dict) else body


def person_of(row: Row) -> PersonalData:
    """Read the client of GetClientsDetails."""
    return PersonalData(
        first_name=text(row, "firstname"),
        last_name=text(row, "lastname"),
        phone=text(row, "phonenumber"),
        email=text(row, "email"),
        marketing=is_yes(row, "marketing_emails_opt_in"),
        billing_address=BillingAddress(
            text(row, "address1"), text(row, "address2"), text(row, "city"), text(row, "state"), text(row, "postcode")
        ),
    )


def client_fields(change: ProfileChange) -> dict[str, FormValue]:
    """Return the fields of UpdateClient for a change; it has no fields for kana."""
    address = BillingAddress.of(change.address) if change.address else None
    fields: dict[str, FormValue | None] = {
        "firstname": change.first_name,
        "lastname": change.last_name,
        "email": change.email,
        "phonenumber": change.phone,
        "marketingoptin": change.marketing,
        "language": _LANGUAGES.get(change.language or ""),
    }
    if address is not None:
        fields |= {
            "address1": address.line1,
            "address2": address.line2,
            "city": address.city,
            "state": address.state,
            "postcode": address.postcode,
            "country": "JP",
        }
    return {name: value for name, value in fields.items() if value is not None}
