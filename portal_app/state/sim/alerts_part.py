"""The part of a SIM service's page on which alerts for its line are set: each choice is saved at once."""

from dataclasses import dataclass, field
from typing import Any

from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.alerts import Alert, AlertKind, SetAlert
from portal_app.domain.sim.line_view import LineOverview
from portal_app.domain.sim.usage import data_amount
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import handler
from portal_app.state.sim.auto_top_up_part import AutoTopUpPart
from portal_app.wiring.portal import portal

OFF = "off"
_LEFT = ("mb:512", "mb:1024", "mb:2048", "mb:3072", "mb:5120", "percent:10", "percent:20", "percent:50")
_SPEND = ("yen:1000", "yen:2000", "yen:3000", "yen:5000", "yen:10000")


@dataclass(frozen=True)
class AlertRow:
    """One alert: what may be chosen, what is, and when it fired."""

    choice: str = OFF
    options: list[list[str]] = field(default_factory=list)
    note: str = ""


class AlertsPart(AutoTopUpPart, mixin=True):
    """Mix into the state of the page: it calls `_show_alerts` too."""

    has_alerts: bool = False
    alert_left: AlertRow = AlertRow()
    alert_forecast: AlertRow = AlertRow()
    alert_spend: AlertRow = AlertRow()

    @handler
    async def set_left_alert(self, choice: str):
        """Be told when less data than this are left."""
        await self._set_alert("left", choice)

    @handler
    async def set_forecast_alert(self, choice: str):
        """Be told when the data will run out before the month's end, most likely."""
        await self._set_alert("forecast", choice)

    @handler
    async def set_spend_alert(self, choice: str):
        """Be told when top-ups of a month cost so much."""
        await self._set_alert("spend", choice)

    async def _set_alert(self, kind: AlertKind, choice: Any) -> None:
        customer, own = await self._customer(), portal().sim.alerts
        unit, _sign, amount = str(choice).partition(":")
        try:
            if unit == OFF:
                await own.remove(customer, self._number, kind)
            else:
                await own.set(customer, self._number, Alert.parse(kind, amount, unit))
        finally:
            await self._read_page()

    async def _show_alerts(self, customer: Customer, overview: LineOverview | None) -> None:
        """Set what the page shows of alerts; a service without a linked line has none."""
        self.has_alerts = overview is not None and overview.line is not None
        found = await portal().sim.alerts.of_service(customer, self._number) if self.has_alerts else []
        rows = {each.kind: each for each in found}
        self.alert_left = _row(rows.get("left"), _LEFT)
        self.alert_forecast = _row(rows.get("forecast"), ("none:0",))
        self.alert_spend = _row(rows.get("spend"), _SPEND)


def _row(alert: SetAlert | None, choices: tuple[str, ...]) -> AlertRow:
    chosen = f"{alert.unit}:{alert.amount}" if alert else OFF
    # What a program set stays to be chosen.
    listed = choices if chosen in (OFF, *choices) else (*choices, chosen)
    return AlertRow(chosen, [[OFF, _("Off")], *([each, _words(each)] for each in listed)], _note(alert))


def _note(alert: SetAlert | None) -> str:
    if alert is None:
        return ""
    if alert.fired_at is None:
        return _("Saved: we tell you when it is reached.")
    return _("Went off {time}").format(time=time(alert.fired_at))


def _words(choice: str) -> str:
    unit, _sign, amount = choice.partition(":")
    if unit == "mb":
        return _("at {amount} or less").format(amount=data_amount(int(amount)))
    if unit == "percent":
        return _("at {percent}% of the plan's data or less").format(percent=amount)
    if unit == "yen":
        money = Money(int(amount), portal().settings.whmcs_currency)
        return _("at {amount} a month or more").format(amount=money)
    return _("On")
