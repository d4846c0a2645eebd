"""What the operator behind Freebit's counter can do: see lines and SIMs, and end a job by hand."""

from datetime import timedelta

from sandbox.back_office.actions import UnknownRecord, WrongState
from sandbox.freebit.calls import HEAD, call_rows
from sandbox.freebit.network import Network, midnight, written
from sandbox.freebit.registration import iccid
from sandbox.freebit.usage import KB_PER_MB, remaining_mb, used
from sandbox.sim_stock import Rows, put_in_stock
from sandbox.store import Document
from sandbox.world_file import BlankSim

# The state a line must be in.
_ACTIONS = {
    "use": "active", "suspend": "active", "resume": "suspended", "swap_sim": "active", "port_out": "active",
    "port_back": "obsolete",
}  # fmt: skip


class SimLines:
    """The SIM side of the back office, for the page and JSON alike."""

    def __init__(self, network: Network, salesforce: Rows) -> None:
        self._network = network
        self._salesforce = salesforce

    def lines(self) -> list[Document]:
        """Return the lines with what they used and the jobs under way, newest first."""
        self._network.settle()
        return [self._line(line) for line in self._network.lines()][::-1]

    def blank_sims(self) -> list[Document]:
        """Return the SIMs in stock, oldest first."""
        return [sim for sim in self._network.store.all("freebit.sim") if sim["state"] != "used"]

    def jobs(self) -> list[Document]:
        """Return every job that was ever accepted, oldest first."""
        return self._network.store.all("freebit.job")

    def stock(self, count: int, *, electronic: bool) -> list[str]:
        """Put new blank SIMs into the stock of Freebit and the inventory; return their numbers."""
        with self._network.store.transaction():
            return [self._blank(electronic) for _ in range(count)]

    def retire(self, stock_id: str) -> None:
        """Take a SIM out of the inventory: nobody gets it any more."""
        self._salesforce.update("SIM_Inventory__c", stock_id, {"Status__c": "Retired"})

    def end_job(self, number: int, action: str) -> None:
        """Let an open job be done now (`finish`) or come to nothing (`fail`). Raises UnknownRecord, WrongState."""
        job = self._network.store.get("freebit.job", number)
        ends = {"finish": self._network.finish, "fail": self._network.fail}
        if job is None or action not in ends:
            raise UnknownRecord(number)
        if job["state"] != "open":
            raise WrongState(f"The job is {job['state']}.")
        with self._network.store.transaction():
            ends[action](job)

    def act(self, account: str, action: str, *, mb: int = 0) -> None:
        """Let a line use MB of data now, be suspended, resumed, given another SIM, moved to another carrier or back.

        Raises UnknownRecord, WrongState.
        """
        line = self._network.find_line(account)
        if line is None or action not in _ACTIONS:
            raise UnknownRecord(account)
        if line["state"] != _ACTIONS[action]:
            raise WrongState(f"The line is {line['state']}.")
        if action == "use" and mb < 1:
            raise WrongState("Name the MB.")
        now = self._network.clock.now().isoformat()
        with self._network.store.transaction():
            self._network.save(line | self._changed(line, action, mb=mb, now=now))

    def usage_csv(self, days: int) -> str:
        """Return the carrier's daily file of all lines: whole days, KB."""
        self._network.settle()
        today = self._network.today()
        rows = [
            f"{line['account']},{day:%Y%m%d},{used(line, midnight(day), midnight(day + timedelta(days=1)))}"
            for line in self._network.lines()
            for day in (today - timedelta(days=back) for back in range(days, 0, -1))
            if line["started_at"] and written(line["started_at"]) <= f"{day:%Y%m%d}"
        ]
        return "".join(f"{row}\r\n" for row in ("account,date,traffic", *rows))

    def calls_csv(self, days: int) -> str:
        """Return the carrier's file of calls and SMS of all lines with voice."""
        self._network.settle()
        return "".join(f"{row}\r\n" for row in (HEAD, *call_rows(self._network, days)))

    def _changed(self, line: Document, action: str, *, mb: int, now: str) -> Document:
        if action == "use":
            return {"extra": [*line["extra"], {"at": now, "kb": mb * KB_PER_MB}]}
        if action == "suspend":
            return {"state": "suspended", "pauses": [*line["pauses"], {"from": now, "to": ""}]}
        if action == "resume":
            return {"state": "active", "pauses": [each | {"to": each["to"] or now} for each in line["pauses"]]}
        if action == "swap_sim":
            return {"iccid": iccid(8_000_000 + self._network.store.next_number("freebit.stock"))}
        if action == "port_back":
            return {"state": "active"}
        # Another carrier has the number now.
        return {"state": "obsolete", "next_plan": "", "next_plan_on": ""}

    def _blank(self, electronic: bool) -> str:
        place = self._network.store.next_number("freebit.stock")
        printed = (
            {} if electronic else {"iccid": iccid(5_000_000 + place), "product_number": f"AX{5_000_000 + place:013}"}
        )
        number = f"0704{place:07}"
        sim = BlankSim(phone_number=number, type="eSIM" if electronic else "Physical SIM", **printed)
        put_in_stock(self._network, self._salesforce, sim)
        return number

    def _line(self, line: Document) -> Document:
        network = self._network
        now = network.now()
        month = midnight(network.today().replace(day=1))
        figures = {
            "today_mb": used(line, midnight(network.today()), now) // KB_PER_MB,
            "month_mb": used(line, month, now) // KB_PER_MB,
            "left_mb": remaining_mb(network, line),
        }
        shown = {name: value for name, value in line.items() if name not in ("identity", "activation_code")}
        return shown | figures | {"jobs": network.jobs(line["account"])}
