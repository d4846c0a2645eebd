"""What services need from the outside world about SIM lines; errors as in `ports`."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

from portal_app.domain.checkout.options import SimType
from portal_app.domain.orders.sim_order import SimOrder, StockSim
from portal_app.domain.sim.sim import NetworkType, NewLine, Person, PortIn, SimLine, SimUsage, TopUp, VoiceOption


class SimInventoryGateway(Protocol):
    """Salesforce's side of SIM orders: what was asked for, and the inventory."""

    async def sim_order(self, sf_order_id: str) -> SimOrder:
        """Return what a SIM order asks for. Raises NotFound, and OrderStopped where it lacks something."""
        ...

    async def assigned_to(self, sf_order_id: str) -> StockSim | None:
        """Return the SIM that the inventory has assigned to an order, or None."""
        ...

    async def available(self, sim_type: SimType) -> list[StockSim]:
        """Return unassigned SIMs, oldest first, some dozens at most."""
        ...

    async def assign(self, stock_id: str, *, sf_order_id: str, sf_account_id: str) -> None:
        """Assign an unassigned SIM to an order. Safe to repeat. It does not check the SIM: call `available` first."""
        ...

    async def give_back(self, stock_id: str, *, is_used: bool) -> None:
        """Take a SIM from its order: Available again, or Retired where a line was opened on it. Safe to repeat."""
        ...


class SimLines(Protocol):
    """The network's SIM lines; `account` is a line's number, digits only.

    Orders are asynchronous: success means accepted, and `line` shows when it is done. Each looks first whether it was
    done already, so all but `reissue_esim` and `register_voice` may be repeated after OutcomeUnknown, once
    the vendor had time to finish. Changes raise LineLocked while an earlier one is under way.
    """

    async def line(self, account: str) -> SimLine:
        """Return one line. Raises NotFound."""
        ...

    async def usage(self, account: str) -> SimUsage:
        """Return what a line used, at most minutes old. Raises NotFound. Never for many lines in a row."""
        ...

    async def top_ups(self, account: str) -> list[TopUp]:
        """Return the data added to a line, oldest first. Raises NotFound."""
        ...

    async def activate_physical(self, new: NewLine) -> None:
        """Register a line on a SIM that is in stock. Follow with `register_voice` where the plan has voice."""
        ...

    async def activate_ported(self, new: NewLine, port_in: PortIn) -> None:
        """Register a number brought along on a SIM that is in stock; applied at once."""
        ...

    async def activate_esim(self, new: NewLine, *, eid: str, port_in: PortIn | None = None) -> None:
        """Register a line on the eSIM of a device, with a number brought along if given."""
        ...

    async def note_failed_opening(self, account: str) -> None:
        """Free a line whose opening came to nothing, by its own state: another one need not wait. Safe to repeat."""
        ...

    async def reissue_esim(self, account: str, *, eid: str) -> None:
        """Make a new profile for a line; afterwards `line` has another ICCID. Raises LineLocked."""
        ...

    async def register_voice(self, account: str, options: Mapping[VoiceOption, bool], person: Person) -> None:
        """Register voice options of a new line and whose it is. Raises LineLocked."""
        ...

    async def change_voice(self, account: str, options: Mapping[VoiceOption, bool]) -> None:
        """Switch some voice options; the others stay. Raises LineLocked, NotFound."""
        ...

    async def change_network(self, account: str, network: NetworkType) -> None:
        """Change between 4G and 5G, which takes half an hour. Raises LineLocked, NotFound."""
        ...

    async def change_plan(self, account: str, plan_code: str, *, starts_on: date | None = None) -> None:
        """Change the plan at once or on a day. Raises LineLocked, NotFound."""
        ...

    async def add_data(self, account: str, megabytes: int, *, reference: str, expires_on: date | None = None) -> None:
        """Add data (1 to 512000 MB) once per reference. Raises NotFound."""
        ...

    async def cancel(self, account: str, *, ends_on: date | None = None) -> None:
        """End a line at once, or on the day from which it is gone. Raises LineLocked, NotFound."""
        ...

    async def last_answered_at(self) -> datetime:
        """Return when the network last answered us, moments ago. Raises ExternalUnavailable when it does not."""
        ...
