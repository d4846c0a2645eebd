"""What the operator behind Freebit's counter can do: see lines and SIMs, and end a job by hand."""

from sandbox.back_office.desk import NotNow, NotThere
from sandbox.freebit.network import Network, midnight
from sandbox.freebit.usage import KB_PER_MB, remaining_mb, used
from sandbox.store import Document


class SimDesk:
    """The SIM side of the back office, for the page and JSON alike."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def lines(self) -> list[Document]:
        """Return the lines with what they used and the jobs under way, newest first."""
        self._network.settle()
        return [self._line(line) for line in self._network.lines()][::-1]

    def blank_sims(self) -> list[Document]:
        """Return the SIMs in stock, oldest first."""
        return [sim for sim in self._network.store.all("freebit.sim") if sim["state"] != "used"]

    def end_job(self, number: int, action: str) -> None:
        """Let an open job be done now (`finish`) or come to nothing (`fail`). Raises NotThere, NotNow."""
        job = self._network.store.get("freebit.job", number)
        ends = {"finish": self._network.finish, "fail": self._network.fail}
        if job is None or action not in ends:
            raise NotThere(number)
        if job["state"] != "open":
            raise NotNow(f"The job is {job['state']}.")
        with self._network.store.transaction():
            ends[action](job)

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
