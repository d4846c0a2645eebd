"""What a SIM order asks for, as Salesforce has it, and the SIM that is set aside for it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from portal_app.domain.sim import Person, PortIn, SimState

SimType = Literal["Physical SIM", "eSIM"]


@dataclass(frozen=True, slots=True)
class SimOrder:
    """How a line is to be opened. `activate_at` is the moment from which it may be, None for at once.

    A number brought along is `ported_number` with `port_in`; `holder` is who a voice line is registered to.
    """

    sim_type: SimType
    plan_code: str
    has_voice: bool
    voice_mail: bool = False
    call_waiting: bool = False
    activate_at: datetime | None = None
    eid: str = field(default="", repr=False)
    holder: Person | None = field(default=None, repr=False)
    ported_number: str = field(default="", repr=False)
    port_in: PortIn | None = field(default=None, repr=False)

    @property
    def needs_stock(self) -> bool:
        """Whether a SIM of the inventory is used: an eSIM that brings its number along needs none."""
        return not (self.sim_type == "eSIM" and self.port_in)


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
