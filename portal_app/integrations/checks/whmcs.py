"""Checks of WHMCS: the portal is let in, and what an operator sets up there is there."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

import httpx

from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.errors import NotFound, PortalError
from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.reach import unreached
from portal_app.integrations.checks.whmcs_role import check_role
from portal_app.integrations.throttling.vendor_call import Misconfigured
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.fields import Row, day, names_id, rows, text
from portal_app.integrations.whmcs.reading import not_found_when

_AFTER = ("whmcs.api",)
_SILENT_DAYS = 3
_MOST_NAMED = 5
_ROLE_SECONDS = 60
_ONLY_WORKERS = "not seen: it needs the database role of a worker"


@dataclass(frozen=True, slots=True)
class OurRecords:
    """What the portal's own database knows: any WHMCS client of ours, and when the bridge last told something."""

    any_client: Callable[[], Awaitable[int | None]]
    last_hook: Callable[[], Awaitable[datetime | None]]


class WhmcsChecks:
    """The checks of one installation; `sold` reads what the portal sells, `ours` is None for a web process alone."""

    def __init__(
        self,
        settings: Settings,
        client: WHMCSClient,
        http: httpx.AsyncClient,
        *,
        ours: OurRecords | None,
        sold: Callable[[], Awaitable[list[CatalogItem]]],
    ) -> None:
        self._settings = settings
        self._client = client
        self._http = http
        self._ours = ours
        self._sold = sold

    def all(self) -> list[Check]:
        """Return the checks."""
        catalogue = ("whmcs.api", "salesforce.pricebook")
        return [
            Check("whmcs.api", "WHMCS: credentials and address", self._api, seconds=30),
            Check("whmcs.site", "WHMCS: client area", self._site, seconds=30),
            Check("whmcs.role", "WHMCS: API role", self._role, seconds=_ROLE_SECONDS, after=_AFTER),
            Check("whmcs.currency", "WHMCS: currency", self._currency, seconds=30, after=_AFTER),
            Check("whmcs.gateway", "WHMCS: payment gateway", self._gateway, seconds=30, after=_AFTER),
            Check("whmcs.number_field", "WHMCS: customer number field", self._number_field, seconds=30, after=_AFTER),
            Check("whmcs.products", "WHMCS: products and their fields", self._products, seconds=40, after=catalogue),
            Check("whmcs.capture", "WHMCS: nightly charges", self._captures, seconds=30, after=_AFTER),
            Check("whmcs.bridge", "WHMCS: bridge", self._bridge),
        ]

    async def _api(self) -> str:
        try:
            await self._client.call("GetCurrencies", {}, safe=True)
        except Misconfigured as error:
            if (problem := refusal_of(str(error))) is not None:
                raise Unfit(problem) from error
        except PortalError as error:
            raise Unfit(unreached("WHMCS", error, setting="WHMCS_API_URL")) from error
        return self._settings.whmcs_api_url

    async def _site(self) -> str:
        address = f"{self._settings.whmcs_url}/clientarea.php"
        try:
            answer = await self._http.get(address)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unfit(unreached("WHMCS", error, setting="WHMCS_URL")) from error
        # A guest is shown the sign-in, sent to it, or refused.
        if answer.status_code >= 400 and answer.status_code not in (401, 403):
            wrong = f"WHMCS_URL has no client area: clientarea.php answers HTTP {answer.status_code}."
            do = "Write the address that customers see at WHMCS, without a slash at the end."
            raise Unfit(Problem(wrong, do, "WHMCS_URL"))
        return self._settings.whmcs_url

    async def _role(self) -> str:
        return await check_role(self._client)

    async def _currency(self) -> str:
        found = [text(row, "code") for row in await self._rows("GetCurrencies", "currencies", "currency")]
        return _named("WHMCS_CURRENCY", self._settings.whmcs_currency, found, "currency")

    async def _gateway(self) -> str:
        found = [
            text(row, "module") for row in await self._rows("GetPaymentMethods", "paymentmethods", "paymentmethod")
        ]
        return _named("WHMCS_PAYMENT_METHOD", self._settings.whmcs_payment_method, found, "payment gateway switched on")

    async def _number_field(self) -> str:
        if self._ours is None:
            return _ONLY_WORKERS
        client_id = await self._ours.any_client()
        if client_id is None:
            return "not seen: no customer yet"
        field = self._settings.whmcs_customer_number_field
        try:
            body = await self._call("GetClientsDetails", clientid=client_id)
        except NotFound as error:
            wrong = f"WHMCS has no client {client_id}, who is the portal's newest customer."
            raise Unfit(Problem(wrong, "Look whether that client was deleted or merged.", is_warning=True)) from error
        inner = body.get("client")
        row: Row = inner if isinstance(inner, dict) else body
        if any(names_id(each, "id", field) for each in rows(row, "customfields")):
            return f"field {field}"
        wrong = f"WHMCS's clients have no custom field with the id {field}, for the customer number."
        do = "Make it under Custom Client Fields; its id stands in the page's form as customfield[ID]."
        raise Unfit(Problem(wrong, do, "WHMCS_CUSTOMER_NUMBER_FIELD"))

    async def _products(self) -> str:
        body = await self._call("GetProducts")
        listed = {text(row, "pid"): _field_names(row) for row in rows(body, "products", "product")}
        try:
            sold = [item for item in await self._sold() if item.is_sold and item.orderable and item.whmcs_product_id]
        except PortalError as error:
            raise Unfit(unreached("Salesforce", error, setting="SF_LOGIN_URL")) from error
        if problems := product_problems(self._settings, sold, listed):
            raise Unfit(*problems)
        return f"{len(sold)} products"

    async def _captures(self) -> str:
        body = await self._call("GetInvoices", status="Overdue", orderby="duedate", order="desc", limitnum=100)
        overdue = rows(body, "invoices", "invoice")
        if problem := capture_problem(overdue):
            raise Unfit(problem)
        return "no sign of repeated charges" if overdue else "not seen: no invoice is overdue"

    async def _bridge(self) -> str:
        if not self._settings.whmcs_webhook_secrets.get_secret_value():
            wrong = "WHMCS_WEBHOOK_SECRETS is empty: what changes at WHMCS is seen late."
            do = "Install whmcs_bridge/portal_bridge.php at WHMCS and give both the same key and secret."
            raise Unfit(Problem(wrong, do, "WHMCS_WEBHOOK_SECRETS", is_warning=True))
        if self._ours is None:
            return _ONLY_WORKERS
        last = await self._ours.last_hook()
        if problem := bridge_problem(self._settings, last, now()):
            raise Unfit(problem)
        return f"last event {last:%Y-%m-%d %H:%M} UTC"

    async def _rows(self, action: str, plural: str, singular: str) -> list[Row]:
        return rows(await self._call(action), plural, singular)

    async def _call(self, action: str, **params: str | int) -> Row:
        try:
            with not_found_when("Client Not Found"):
                return await self._client.call(action, params, safe=True)
        except Misconfigured as error:
            wrong = f"WHMCS's API role does not allow {action}, so this is not seen."
            raise Unfit(Problem(wrong, "See WHMCS: API role.", "WHMCS_API_IDENTIFIER")) from error
        except NotFound:
            raise
        except PortalError as error:
            raise Unfit(unreached("WHMCS", error, setting="WHMCS_API_URL")) from error


def refusal_of(said: str) -> Problem | None:
    """Return what is wrong by WHMCS's words; None where it let us in and only the role is too narrow."""
    if "Invalid Permissions" in said:
        return None
    if "Invalid IP" in said:
        address = said.partition("Invalid IP ")[2].split(",")[0].strip()
        wrong = f"WHMCS does not let this machine in: it sees the address {address}."
        do = "Add it under General Settings > Security > API IP Access Restriction, or set WHMCS_ACCESS_KEY."
        return Problem(wrong, do, "WHMCS_ACCESS_KEY")
    if "Disabled" in said or "Access Denied" in said:
        wrong = "WHMCS refuses the administrator behind the API credential: disabled, or without API Access."
        return Problem(wrong, "Give its administrator role the right API Access.", "WHMCS_API_IDENTIFIER")
    if "credentials" in said or "Authentication" in said:
        wrong = "WHMCS does not know the API credential."
        return Problem(wrong, "Correct WHMCS_API_IDENTIFIER and WHMCS_API_SECRET.", "WHMCS_API_SECRET")
    wrong = f"WHMCS refuses the portal: {said[:150]}."
    return Problem(wrong, "See WHMCS's API credential and its role, and WHMCS_API_URL.", "WHMCS_API_URL")


def product_problems(settings: Settings, sold: Iterable[CatalogItem], listed: dict[str, set[str]]) -> list[Problem]:
    """Return what is wrong with WHMCS's products; `listed` is product id -> names of custom fields."""
    unknown: list[str] = []
    lacking: dict[tuple[str, str], list[str]] = {}
    for item in sold:
        fields = listed.get(str(item.whmcs_product_id))
        if fields is None:
            unknown.append(f"{item.sku} ({item.whmcs_product_id})")
            continue
        for setting, name in _fields_of(settings, item):
            if name not in fields:
                lacking.setdefault((setting, name), []).append(str(item.whmcs_product_id))
    found = []
    if unknown:
        wrong = f"WHMCS has no product for {_some(unknown)}: orders with these fail."
        found.append(Problem(wrong, "Correct WH_Product_ID__c in Salesforce, or make the product at WHMCS."))
    for (setting, name), products in lacking.items():
        wrong = f"WHMCS's products {_some(products)} have no custom field named {name}."
        do = f"Add it under Custom Fields of each: Admin Only and Show on Order Form. Or correct {setting}."
        found.append(Problem(wrong, do, setting))
    return found


def capture_problem(overdue: Iterable[Row]) -> Problem | None:
    """Return what is wrong where WHMCS charges unpaid invoices again and again after they were due."""
    again = []
    for row in overdue:
        try:
            due, tried = day(row, "duedate"), day(row, "last_capture_attempt")
        except ValueError:
            continue
        if due and tried and tried > due:
            again.append((text(row, "id"), tried))
    # A single one may have been tried by hand.
    if len(again) < 2:
        return None
    newest: date = max(tried for _, tried in again)
    wrong = f"WHMCS charges invoices again after they were due: {len(again)} of them, the last on {newest}."
    do = 'Set "Attempt Only Once" under Automation Settings > Credit Card Charging: top-ups count on it.'
    return Problem(wrong, do, is_warning=True)


def bridge_problem(settings: Settings, last: datetime | None, moment: datetime) -> Problem | None:
    """Return what is wrong with the time of the bridge's last event."""
    do = (
        f"See that the bridge at WHMCS posts to {settings.portal_url}/api/webhooks/whmcs with the secret of "
        "WHMCS_WEBHOOK_SECRETS (log event webhook.refused says why one was refused)."
    )
    if last is None:
        return Problem("WHMCS's bridge has never told anything.", do, "WHMCS_WEBHOOK_SECRETS", is_warning=True)
    if (moment - last).days >= _SILENT_DAYS:
        wrong = f"WHMCS's bridge last told something on {last:%Y-%m-%d}."
        return Problem(wrong, do, "WHMCS_WEBHOOK_SECRETS", is_warning=True)
    return None


def _fields_of(settings: Settings, item: CatalogItem) -> list[tuple[str, str]]:
    """Return which custom fields the product of an item needs, each with the setting that names it."""
    found = []
    if item.item_class == "service":
        found.append(("WHMCS_REFERENCE_FIELD", settings.whmcs_reference_field))
        if item.category == "internet":
            found.append(("WHMCS_OPPORTUNITY_FIELD", settings.whmcs_opportunity_field))
        if item.category == "sim":
            names = filter(None, (name.strip() for name in settings.whmcs_sim_fields.split(",")))
            found += [("WHMCS_SIM_FIELDS", name) for name in names]
    return found


def _field_names(row: Row) -> set[str]:
    inner = row.get("customfields")
    return {text(field, "name") for field in rows({"customfields": inner}, "customfields", "customfield")}


def _named(setting: str, wanted: str, found: list[str], what: str) -> str:
    if wanted in found:
        return wanted
    wrong = f"WHMCS has no {what} named {wanted}; it has {', '.join(sorted(found)) or 'none'}."
    raise Unfit(Problem(wrong, f"Correct {setting}, or set it up at WHMCS.", setting))


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
