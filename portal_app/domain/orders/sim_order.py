"""SIM orders as Salesforce stores them, and the SIM reserved for an order."""

from dataclasses import dataclass, field
from datetime import datetime

from portal_app.domain.checkout.options import SimOptions
from portal_app.domain.sim.sim import SimPlanKind, SimState


@dataclass(frozen=True, slots=True)
class SimOrder:
    """The line to activate: the options (agents may have corrected them) and the carrier's plan code and its kind.

    `opens_at` is the earliest activation time, None for immediately.
    """

    options: SimOptions
    plan_code: str
    opens_at: datetime | None = None
    plan_kind: SimPlanKind = "voice"

    @property
    def needs_stock(self) -> bool:
        """Whether the order uses a SIM of the inventory; an eSIM with a ported number does not."""
        return not (self.options.sim_type == "esim" and self.options.port_in)


@dataclass(frozen=True, slots=True)
class StockSim:
    """One SIM of the inventory. An eSIM has only a number."""

    id: str
    number: str = field(repr=False)
    iccid: str = field(default="", repr=False)
    product_number: str = field(default="", repr=False)
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """The number and SIM reserved for an order. `stock_id` is empty if no SIM of the inventory is used."""

    stock_id: str
    number: str = field(repr=False)
    iccid: str = field(default="", repr=False)
    product_number: str = field(default="", repr=False)
    eid: str = field(default="", repr=False)
    service_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as its customer sees it. `as_of` is the time of the state if the carrier did not answer."""

    number: str = field(repr=False)
    state: SimState
    as_of: datetime | None = None
