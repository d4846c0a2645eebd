"""What a SIM order asks for, as Salesforce has it, and the SIM that is set aside for it."""

from dataclasses import dataclass, field
from datetime import datetime

from portal_app.domain.checkout.options import SimOptions
from portal_app.domain.sim.sim import SimState


@dataclass(frozen=True, slots=True)
class SimOrder:
    """How a line is to be opened: what was chosen, as agents may have corrected it, and the carrier's name of the plan.

    `opens_at` is the moment from which it may be opened, None for at once.
    """

    options: SimOptions
    plan_code: str
    opens_at: datetime | None = None

    @property
    def needs_stock(self) -> bool:
        """Whether a SIM of the inventory is used: an eSIM that brings its number along needs none."""
        return not (self.options.sim_type == "esim" and self.options.port_in)


@dataclass(frozen=True, slots=True)
class StockSim:
    """One SIM of the inventory. An eSIM has a number only."""

    id: str
    number: str = field(repr=False)
    iccid: str = field(default="", repr=False)
    product_number: str = field(default="", repr=False)
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """The line of an order: the number it will have and the SIM it comes on. `stock_id` is empty without one."""

    stock_id: str
    number: str = field(repr=False)
    iccid: str = field(default="", repr=False)
    product_number: str = field(default="", repr=False)
    eid: str = field(default="", repr=False)
    service_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as its customer sees it. `as_of` is set while the state is saved data: the carrier does not answer."""

    number: str = field(repr=False)
    state: SimState
    as_of: datetime | None = None
