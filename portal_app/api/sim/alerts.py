"""Alerts of a SIM line, and data that are bought for it by themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import RecentProof, SignedInCustomer, VendorId, vendor_id
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.money import Amount, amount
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import json
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.alerts import Alert, parse_alert_kind
from portal_app.domain.sim.auto_top_up import AutoWish
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


class WantedAlert(Body):
    """At how much an alert fires: `unit` is mb or percent for `left`, yen for `spend`, none for `forecast`."""

    amount: Any
    unit: str


class WantedAutoTopUp(Body):
    """How many GB are bought at how many MB left, for at most `cap` a month; `total` is the price that was shown."""

    gigabytes: Any
    threshold_mb: Any
    cap: Any
    total: int


@dataclass
class LineAlertView(Resource):
    """One alert. `kind`: left (data), forecast (they run out before the month's end) or spend (top-ups this month).

    `fired_at` is when it fired, null while it waits for its threshold.
    """

    kind: str
    amount: int
    unit: str
    set_at: datetime
    fired_at: datetime | None


@dataclass
class LineAlertList(Resource):
    """The alerts of a line."""

    items: list[LineAlertView]


@dataclass
class AutoTopUpView(Resource):
    """What is bought for a line by itself. `off_reason`: you, declined, no_card, price_changed, stopped, with_team.

    `total` is the price with tax that was agreed to; `spent` is what counts against `cap` this month, top-ups by hand
    included. All else is null where it was never on.
    """

    is_on: bool
    off_reason: str | None
    gigabytes: int | None
    threshold_mb: int | None
    total: Amount | None
    cap: Amount | None
    spent: Amount


@router.get("/{service_id}/sim/alerts", response_model=LineAlertList)
async def alerts(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return the alerts of a line."""
    return await _alerts(customer, vendor_id(service_id))


@router.put(
    "/{service_id}/sim/alerts/{kind}", response_model=LineAlertList, openapi_extra=takes(WantedAlert, form=False)
)
async def set_alert(
    request: Request, customer: SignedInCustomer, service_id: VendorId, kind: str, once: IdempotentCallDependency
) -> Response:
    """Set an alert of a line: it fires once when a reading is at its amount or beyond, then after a rise again."""
    number, entries = vendor_id(service_id), await read(request, WantedAlert, form=False)
    alert = Alert.parse(kind, entries.amount, entries.unit)

    async def keep() -> None:
        await portal().sim.alerts.set(customer, number, alert)

    await once(entries, keep)
    return await _alerts(customer, number)


@router.delete("/{service_id}/sim/alerts/{kind}", response_model=LineAlertList)
async def remove_alert(
    customer: SignedInCustomer, service_id: VendorId, kind: str, once: IdempotentCallDependency
) -> Response:
    """Remove an alert of a line, where there is one."""
    number, known = vendor_id(service_id), parse_alert_kind(kind)

    async def remove() -> None:
        await portal().sim.alerts.remove(customer, number, known)

    await once(None, remove)
    return await _alerts(customer, number)


@router.get("/{service_id}/sim/auto-top-up", response_model=AutoTopUpView)
async def auto_top_up(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return what is bought for a line by itself."""
    return await _auto_top_up(customer, vendor_id(service_id))


@router.put(
    "/{service_id}/sim/auto-top-up",
    response_model=AutoTopUpView,
    openapi_extra=takes(WantedAutoTopUp, form=False),
)
async def turn_on(
    request: Request,
    _proof: RecentProof,
    customer: SignedInCustomer,
    service_id: VendorId,
    once: IdempotentCallDependency,
) -> Response:
    """Have data bought for a line by themselves. Needs a fresh proof (POST /api/me/step-up).

    409 where the price is another by now. A card that declines turns it off.
    """
    number, entries = vendor_id(service_id), await read(request, WantedAutoTopUp, form=False)
    wish = AutoWish(entries.gigabytes, entries.threshold_mb, entries.cap, entries.total)

    async def keep() -> None:
        await portal().sim.auto_top_ups.turn_on(customer, number, wish)

    await once(entries, keep)
    return await _auto_top_up(customer, number)


@router.delete("/{service_id}/sim/auto-top-up", response_model=AutoTopUpView)
async def turn_off(customer: SignedInCustomer, service_id: VendorId, once: IdempotentCallDependency) -> Response:
    """Turn automatic top-up off, at once and without a proof. A purchase that has begun goes on."""
    number = vendor_id(service_id)

    async def stop() -> None:
        await portal().sim.auto_top_ups.turn_off(customer, number)

    await once(None, stop)
    return await _auto_top_up(customer, number)


async def _alerts(customer: Customer, service_id: int) -> Response:
    return json(LineAlertList(LineAlertView.list_of(await portal().sim.alerts.of_service(customer, service_id))))


async def _auto_top_up(customer: Customer, service_id: int) -> Response:
    found = await portal().sim.auto_top_ups.of_service(customer, service_id)
    choice = found.choice
    return json(
        AutoTopUpView(
            is_on=choice is not None and choice.is_on,
            off_reason=(choice.off_reason or None) if choice else None,
            gigabytes=choice.gigabytes if choice else None,
            threshold_mb=choice.threshold_mb if choice else None,
            total=amount(choice.total) if choice else None,
            cap=amount(choice.cap) if choice else None,
            spent=amount(found.spent),
        )
    )
