"""What WHMCS's daily cron does as days pass: renewal invoices, charges to stored cards, due cancellations."""

from collections import defaultdict
from contextlib import suppress
from datetime import date, datetime, timedelta

from sandbox.store import Document
from sandbox.whmcs.billing import capture
from sandbox.whmcs.installation import Died, Installation, day_in
from sandbox.whmcs.invoices import MONTHS, new_invoice, period
from sandbox.whmcs.modules import terminate
from sandbox.whmcs.pay_methods import TOKEN_GATEWAYS

DAYS_BEFORE_DUE = 14
_KIND, _KEY = "whmcs.cron", "last"
_MOST_DAYS = 800


class Automation:
    """Run each day once, also the days a moved clock skips. Late fees and suspensions are switched off here."""

    def __init__(self, whmcs: Installation) -> None:
        self._whmcs = whmcs
        whmcs.clock.on_advance.append(lambda before, after: self.run())

    def run(self) -> None:
        """Do the work of every day since the last run, today's included. The first run only notes the day."""
        store, today = self._whmcs.store, self._whmcs.today()
        last = store.get(_KIND, _KEY)
        if last is not None and last["day"] >= today.isoformat():
            return
        with store.transaction():
            day = date.fromisoformat(last["day"]) if last else today
            day = max(day, today - timedelta(days=_MOST_DAYS))
            while day < today:
                day += timedelta(days=1)
                self._run_day(day)
            store.put(_KIND, _KEY, {"day": today.isoformat()})

    def _run_day(self, day: date) -> None:
        self._end_services(day)
        bill_renewals(self._whmcs, day)
        for invoice in self._due(day):
            client = self._whmcs.row("client", invoice["userid"]) or {"disableautocc": True}
            if invoice["paymentmethod"] in TOKEN_GATEWAYS and not client["disableautocc"]:
                with suppress(Died):
                    capture(self._whmcs, invoice)

    def _due(self, day: date) -> list[Document]:
        """Return what is charged on a day: all that is unpaid and due, unless it is tried only once."""
        unpaid = self._whmcs.rows("invoice", status="Unpaid")
        if self._whmcs.faults.level("whmcs", "attempt_only_once"):
            return [invoice for invoice in unpaid if invoice["duedate"] == day.isoformat()]
        return [invoice for invoice in unpaid if invoice["duedate"] <= day.isoformat()]

    def _end_services(self, day: date) -> None:
        for wish in self._whmcs.rows("cancellation", executed=False):
            service = self._whmcs.row("service", wish["relid"])
            if service is None:
                continue
            asked = datetime.fromisoformat(wish["date"]).date()
            ends = day_in(service["nextduedate"]) or asked
            is_due = asked < day if wish["type"] == "Immediate" else ends <= day
            if is_due:
                terminate(self._whmcs, service, "Cancelled")
                self._whmcs.save("cancellation", wish | {"executed": True})


def bill_renewals(whmcs: Installation, day: date) -> None:
    """Bill what falls due within two weeks, one invoice per client, day and gateway; never twice while open."""
    latest = (day + timedelta(days=DAYS_BEFORE_DUE)).isoformat()
    left_out = {wish["relid"] for wish in whmcs.rows("cancellation")} | _services_billed(whmcs)
    due: dict[tuple[int, str, str], list[Document]] = defaultdict(list)
    for service in whmcs.rows("service"):
        is_live = service["status"] in ("Active", "Suspended") and service["billingcycle"] in MONTHS
        is_due = service["recurringamount"] and day_in(service["nextduedate"]) and service["nextduedate"] <= latest
        if is_live and is_due and service["id"] not in left_out and not _is_paid_off(whmcs, service):
            due[service["clientid"], service["nextduedate"], service["paymentmethod"]].append(service)
    for (client_id, due_on, gateway), services in due.items():
        made = f"{day} 00:05:00"
        dates = {"date": day.isoformat(), "duedate": due_on, "created_at": made, "updated_at": made}
        new_invoice(whmcs, client_id, [_line(whmcs, one) for one in services], paymentmethod=gateway, **dates)


def _is_paid_off(whmcs: Installation, service: Document) -> bool:
    """Say whether a product that recurs a number of times only was billed that often; its service is then Completed."""
    times = (whmcs.row("product", service["pid"]) or {}).get("recurringcycles", 0)
    if not times:
        return False
    billed = [
        item
        for invoice in whmcs.rows("invoice", userid=service["clientid"])
        if invoice["status"] != "Cancelled"
        for item in invoice["items"]
        if item["type"] == "Hosting" and item["relid"] == service["id"]
    ]
    if len(billed) < times:
        return False
    whmcs.save("service", service | {"status": "Completed"})
    whmcs.hook("ServiceRecurringCompleted", service_id=service["id"])
    return True


def _services_billed(whmcs: Installation) -> set[int]:
    unsettled = ("Unpaid", "Draft", "Payment Pending")
    invoices = [row for row in whmcs.rows("invoice") if row["status"] in unsettled]
    return {item["relid"] for invoice in invoices for item in invoice["items"] if item["type"] == "Hosting"}


def _line(whmcs: Installation, service: Document) -> Document:
    name = (whmcs.row("product", service["pid"]) or {"name": ""})["name"]
    when = period(date.fromisoformat(service["nextduedate"]), service["billingcycle"])
    line = {"type": "Hosting", "relid": service["id"], "description": f"{name} {when}", "taxed": 1}
    return line | {"amount": service["recurringamount"]}
