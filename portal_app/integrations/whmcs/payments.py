"""Payments at WHMCS and the cards and banks a client has stored: implements PaymentMethodGateway."""

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import PaymentGateway, PaymentMethod, Transaction
from portal_app.domain.errors import NotFound
from portal_app.infra.settings import Settings
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.client_records import WHMCSClientRecords
from portal_app.integrations.whmcs.fields import Row, number, rows, text
from portal_app.integrations.whmcs.reading import not_found_when, read_each, understood
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
        found = read_each(
            rows(body, "transactions", "transaction"),
            partial(transaction_of, currency=self._currency, zone=self._zone),
            action="GetTransactions",
        )
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
        read = partial(credit_of, currency=self._currency)
        found = read_each(rows(body, "credits", "credit"), read, action="GetCredits")
        return Credit(balance, sorted(found, key=lambda entry: entry.id, reverse=True))

    async def gateways(self) -> list[PaymentGateway]:
        """Return the gateways that are switched on, in WHMCS's order."""
        body = await self._client.call("GetPaymentMethods", {}, safe=True)
        found = rows(body, "paymentmethods", "paymentmethod")
        return read_each(found, _gateway_of, action="GetPaymentMethods", id_name="module")

    async def payment_methods(self, client_id: int) -> list[PaymentMethod]:
        """Return the stored cards and banks of a client, without their tokens."""
        with not_found_when("Client Not Found"):
            body = await self._client.call("GetPayMethods", {"clientid": client_id}, safe=True)
        with understood("GetPayMethods"):
            if "clientid" in body and number(body, "clientid") != client_id:
                raise ValueError("another client")
        found = rows(body, "paymethods", "paymethod")
        # The first row is the default, also where it cannot be read.
        first = found[0] if found else None
        return read_each(
            found, lambda row: payment_method_of(row, is_default=self._default(row is first)), action="GetPayMethods"
        )

    async def set_default_payment_method(self, client_id: int, method_id: int) -> None:
        """Make a stored method the one to charge. Raises NotFound."""
        await self._change("UpdatePayMethod", client_id, method_id)

    async def remove_payment_method(self, client_id: int, method_id: int) -> None:
        """Delete a stored method, at the gateway's end too. Raises NotFound."""
        await self._change("DeletePayMethod", client_id, method_id)

    def _default(self, is_first: bool) -> bool | None:
        return is_first if self._is_default_first else None

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


def _gateway_of(row: Row) -> PaymentGateway:
    module = text(row, "module")
    if not module:
        raise ValueError("module is missing")
    return PaymentGateway(module, text(row, "displayname") or module)
