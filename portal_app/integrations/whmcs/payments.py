"""Payments at WHMCS and the cards and banks a client has stored: implements PaymentMethodGateway."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import PaymentGateway, PaymentMethod, Transaction
from portal_app.domain.errors import NotFound
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.client_records import WHMCSClientRecords
from portal_app.integrations.whmcs.fields import number, rows, text
from portal_app.integrations.whmcs.reading import not_found_when, understood
from portal_app.integrations.whmcs.schemas import credit_of, payment_method_of, transaction_of

_NOT_THEIRS = frozenset({"invalid pay method id", "pay method does not belong to passed client id"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class WHMCSPayments:
    """Read what was paid and with what; pick and remove stored methods. Card numbers never pass through here."""

    def __init__(self, client: WHMCSClient, settings: Settings, records: WHMCSClientRecords) -> None:
        self._client = client
        self._records = records
        self._currency = settings.whmcs_currency
        self._zone = ZoneInfo(settings.whmcs_timezone)
        self._is_default_first = settings.whmcs_default_method_first

    async def transactions(self, client_id: int) -> list[Transaction]:
        """Return all payments and refunds of a client, newest first; this action is not paged."""
        body = await self._client.call("GetTransactions", {"clientid": client_id}, safe=True)
        with understood("GetTransactions"):
            found = [
                transaction_of(row, currency=self._currency, zone=self._zone)
                for row in rows(body, "transactions", "transaction")
            ]
        own = [entry for entry in found if entry.client_id == client_id]
        return sorted(own, key=lambda entry: (entry.at or _LONG_AGO, entry.id), reverse=True)

    async def credit(self, client_id: int) -> Credit:
        """Return what is left of a client's credit, and all its changes, newest first. Raises NotFound."""
        balance = (await self._records.client(client_id)).credit
        with not_found_when("Client ID Not Found"):
            body = await self._client.call("GetCredits", {"clientid": client_id}, safe=True)
        with understood("GetCredits"):
            if number(body, "clientid") != client_id:
                raise ValueError("another client")
            found = [credit_of(row, currency=self._currency) for row in rows(body, "credits", "credit")]
        return Credit(balance, sorted(found, key=lambda entry: entry.id, reverse=True))

    async def gateways(self) -> list[PaymentGateway]:
        """Return the gateways that are switched on, in WHMCS's order."""
        body = await self._client.call("GetPaymentMethods", {}, safe=True)
        with understood("GetPaymentMethods"):
            found = rows(body, "paymentmethods", "paymentmethod")
            return [PaymentGateway(row["module"], text(row, "displayname") or row["module"]) for row in found]

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards and banks of a client, without their tokens."""
        with not_found_when("Client Not Found"):
            body = await self._client.call("GetPayMethods", {"clientid": client_id}, safe=True)
        with understood("GetPayMethods"):
            if "clientid" in body and number(body, "clientid") != client_id:
                raise ValueError("another client")
            found = rows(body, "paymethods", "paymethod")
            return [payment_method_of(row, is_default=self._default(place)) for place, row in enumerate(found)]

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        """Make a stored method the one to charge. Raises NotFound."""
        await self._change("UpdatePayMethod", client_id, method_id)

    async def remove_payment_method(self, client_id: int, method_id: int) -> None:
        """Delete a stored method, at the gateway's end too. Raises NotFound."""
        await self._change("DeletePayMethod", client_id, method_id)

    def _default(self, place: int) -> bool | None:
        return place == 0 if self._is_default_first else None

    async def _change(self, action: str, client_id: int, method_id: int) -> None:
        is_update = action == "UpdatePayMethod"
        wanted = {"clientid": client_id, "paymethodid": method_id, "set_as_default": True if is_update else None}
        try:
            # Deleting a second time is refused in the words for a stranger's method, so it is not tried blindly.
            await self._client.call(action, wanted, safe=is_update)
        except WHMCSRejected as error:
            if error.message.casefold() in _NOT_THEIRS:
                raise NotFound(str(error)) from error
            raise
