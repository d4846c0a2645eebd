"""The operator's network: plans, blank SIMs, lines, and jobs that are done some time after they were accepted."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.freebit.codes import no_account, not_allowed, wrong
from sandbox.freebit.fields import OFF
from sandbox.settings import SandboxSettings
from sandbox.store import Document, Store

TIMEZONE = ZoneInfo("Asia/Tokyo")
_AFTER_FAILURE = {
    "activate": {"state": "failed"},
    "cancel": {"cancel_on": ""},
    "plan": {"next_plan": "", "next_plan_on": ""},
}
# How the switch of a kind of job is called where its name differs.
_FAILURES = {"activate": "activation"}
VOICE_OPTIONS = ("voiceMail", "callWaiting", "callTransfer", "worldWing")


class Network:
    """What every operation works on. A line is found by its account: the phone number, digits only."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Clock, faults: Faults) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.faults = faults

    def now(self) -> datetime:
        """Return the network's time, in Japan."""
        return self.clock.now().astimezone(TIMEZONE)

    def today(self) -> date:
        """Return the network's date."""
        return self.now().date()

    def plan(self, code: str) -> Document:
        """Return a plan. Raises Refused for an unknown one."""
        found = self.store.get("freebit.plan", code) if len(code) <= 32 else None
        if found is None:
            raise wrong("planCode")
        return found

    def sim(self, account: str) -> Document | None:
        """Return the blank SIM that carries a number, or None."""
        return self.store.get("freebit.sim", account)

    def save_sim(self, sim: Document) -> None:
        """Write a blank SIM."""
        self.store.put("freebit.sim", sim["account"], sim)

    def line(self, account: str) -> Document:
        """Return a line. Raises Refused (210) where there is none."""
        found = self.store.get("freebit.line", account)
        if found is None:
            raise no_account()
        return found

    def find_line(self, account: str) -> Document | None:
        """Return a line, or None."""
        return self.store.get("freebit.line", account)

    def lines(self) -> list[Document]:
        """Return all lines, oldest first."""
        return self.store.all("freebit.line")

    def live_line(self, account: str) -> Document:
        """Return a line that is active and not about to end. Raises Refused."""
        line = self.line(account)
        if line["state"] != "active":
            raise not_allowed(line["state"])
        if line["cancel_on"]:
            raise not_allowed("cancellation scheduled")
        return line

    def save(self, line: Document) -> None:
        """Write a line."""
        self.store.put("freebit.line", line["account"], line)

    def open_line(self, account: str, **fields: object) -> Document:
        """Make a line that waits to become active."""
        line: Document = {
            "account": account, "state": "waiting", "plan": "", "contract_line": "4G", "kind": "physical",
            "iccid": "", "product_number": "", "eid": "", "activation_code": "", "imsi": f"44010{account[-10:]}",
            "talk": dict.fromkeys(VOICE_OPTIONS, OFF), "identity": {}, "ported": False, "share_group": "",
            "top_ups": [], "next_plan": "", "next_plan_on": "", "cancel_on": "",
            "started_at": "", "line_changed_at": "", "voice_changed_at": "", "use": {}, "extra": [], "pauses": [],
        }  # fmt: skip
        line |= fields
        self.save(line)
        return line

    def queue(self, kind: str, account: str, due: datetime, **changes: object) -> Document:
        """Accept a job that is carried out when it is due."""
        number = self.store.next_number("freebit.job")
        due += timedelta(minutes=self.faults.level("freebit", f"late_{kind}"))
        job = {"id": number, "kind": kind, "account": account, "due": due.astimezone(UTC).isoformat(), "state": "open"}
        job |= {"accepted": self.now().isoformat(), "changes": changes}
        self.store.put("freebit.job", number, job)
        return job

    def jobs(self, account: str = "", kind: str = "") -> list[Document]:
        """Return the open jobs, of one account or kind if named, oldest first."""
        found = [job for job in self.store.all("freebit.job") if job["state"] == "open"]
        return [job for job in found if account in ("", job["account"]) and kind in ("", job["kind"])]

    def drop(self, account: str, kind: str) -> None:
        """Forget the open jobs of a kind."""
        for job in self.jobs(account, kind):
            self.store.put("freebit.job", job["id"], job | {"state": "dropped"})

    def soon(self) -> datetime:
        """Return when an asynchronous order that is accepted now will be done."""
        return self.now() + timedelta(seconds=self.settings.freebit_activation_seconds)

    def settle(self) -> None:
        """Carry out every job whose time has come, in order of time; switch `hold_activations` keeps lines waiting."""
        held = "activate" if self.faults.level("freebit", "hold_activations") else ""
        with self.store.transaction():
            for job in sorted(self.jobs(), key=lambda each: str(each["due"])):
                if job["kind"] != held and datetime.fromisoformat(job["due"]) <= self.now():
                    self.finish(job)

    def finish(self, job: Document) -> None:
        """Carry a job out now, unless a switch lets its kind fail."""
        if self.faults.take_special("freebit", f"fail_{_FAILURES.get(job['kind'], job['kind'])}"):
            self.fail(job)
            return
        line = self.line(job["account"])
        line |= {name: value for name, value in job["changes"].items() if name != "talk"}
        line["talk"] |= job["changes"].get("talk", {})
        if job["kind"] == "activate":
            line["started_at"] = line["started_at"] or job["due"]
        self.save(line)
        self.store.put("freebit.job", job["id"], job | {"state": "done"})

    def fail(self, job: Document) -> None:
        """Let a job come to nothing; an activation leaves its SIM blank again."""
        self.store.put("freebit.job", job["id"], job | {"state": "failed"})
        line = self.line(job["account"])
        self.save(line | _AFTER_FAILURE.get(job["kind"], {}))
        sim = self.sim(job["account"])
        if job["kind"] == "activate" and sim:
            self.save_sim(sim | {"state": "blank"})

    def is_within(self, moment: str, seconds: float) -> bool:
        """Say whether less than `seconds` have passed since a moment; an empty one was never."""
        return bool(moment) and self.now() - datetime.fromisoformat(moment) < timedelta(seconds=seconds)


def midnight(day: date) -> datetime:
    """Return the moment a day begins in Japan."""
    return datetime.combine(day, time(), TIMEZONE)


def written(day: date | str) -> str:
    """Return a date, or the date of a moment, as YYYYMMDD; empty for none."""
    if not day:
        return ""
    if isinstance(day, str):
        moment = datetime.fromisoformat(day)
        day = moment.astimezone(TIMEZONE).date() if moment.tzinfo else moment.date()
    return day.strftime("%Y%m%d")
