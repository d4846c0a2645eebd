"""The part of a SIM service's page on which automatic top-up is turned on, after a proof, and off, at once."""

from dataclasses import dataclass, field

from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim.auto_top_up import AutoOff, AutoStanding, AutoTopUp, AutoWish, cap_choices
from portal_app.domain.sim.line_view import LineOverview
from portal_app.domain.sim.top_up import LEAST_GB, MOST_GB, parse_gigabytes
from portal_app.domain.sim.usage import data_amount
from portal_app.language import _
from portal_app.state.shell.error_reporting import handler
from portal_app.state.sim.line_rows import Fact
from portal_app.state.sim.top_up_part import TopUpPart
from portal_app.wiring.portal import portal

_THRESHOLDS = (256, 512, 1024, 2048, 3072, 5120)
# Which of the caps is chosen at first.
_USUAL_CAP = 2
_OFF_WORDS: dict[AutoOff, str] = {
    "declined": "Automatic top-up is off: your card did not take a charge. Nothing more is bought by itself.",
    "no_card": "Automatic top-up is off: no card that is valid is stored.",
    "price_changed": "Automatic top-up is off: the price is another than the one you agreed to.",
    "stopped": "Automatic top-up is off: a purchase was stopped.",
    "with_team": "Automatic top-up is off: our team sees to a purchase first.",
}


@dataclass(frozen=True)
class AutoRows:
    """The choice in words; `problem` says why it went off by itself."""

    is_on: bool = False
    problem: str = ""
    facts: list[Fact] = field(default_factory=list)


class AutoTopUpPart(TopUpPart, mixin=True):
    """Mix into the state of the page: it calls `_show_auto_top_up` too."""

    has_auto_top_up: bool = False
    auto_rows: AutoRows = AutoRows()
    auto_amounts: list[list[str]] = []
    auto_thresholds: list[list[str]] = []
    auto_caps: list[list[str]] = []
    auto_amount: str = str(LEAST_GB)
    auto_threshold: str = str(_THRESHOLDS[2])
    auto_cap: str = ""
    auto_button: str = ""
    _auto_total: int = 0

    @handler
    async def choose_auto_amount(self, gigabytes: str):
        """Show the price and the limits of an amount."""
        self.auto_amount, self.auto_cap = str(parse_gigabytes(gigabytes)), ""
        self._show_auto_price()

    @handler
    async def choose_auto_threshold(self, megabytes: str):
        """Choose at how much data left more are bought."""
        self.auto_threshold = _one_of(self.auto_thresholds, megabytes, "threshold_mb")

    @handler
    async def choose_auto_cap(self, yen: str):
        """Choose how much may be spent in a month."""
        self.auto_cap = _one_of(self.auto_caps, yen, "cap")

    @handler
    async def turn_on_auto_top_up(self):
        """Have data bought by themselves, after a recent proof of identity."""
        await self._require_recent_proof()
        wish = AutoWish(self.auto_amount, self.auto_threshold, self.auto_cap, self._auto_total)
        try:
            await portal().sim.auto_top_ups.turn_on(await self._customer(), self._number, wish)
        finally:
            await self._read_page()

    @handler
    async def turn_off_auto_top_up(self):
        """Turn it off at once."""
        await portal().sim.auto_top_ups.turn_off(await self._customer(), self._number)
        await self._read_page()

    async def _show_auto_top_up(self, customer: Customer, overview: LineOverview | None) -> None:
        """Set what the page shows of it; a service without a linked line has none."""
        self.has_auto_top_up = overview is not None and overview.line is not None
        if not self.has_auto_top_up:
            self.auto_rows = AutoRows()
            return
        found = await portal().sim.auto_top_ups.of_service(customer, self._number)
        self.auto_rows = _rows(found)
        self.auto_amounts = [[str(each), f"{each} GB"] for each in range(LEAST_GB, MOST_GB + 1)]
        words = _("at {amount} or less")
        self.auto_thresholds = [[str(each), words.format(amount=data_amount(each))] for each in _THRESHOLDS]
        self._show_auto_price()

    def _show_auto_price(self) -> None:
        gigabytes = parse_gigabytes(self.auto_amount)
        total = portal().sim.top_ups.prices.total(gigabytes)
        self._auto_total = total.minor
        caps = cap_choices(total)
        self.auto_caps = [[str(each.minor), _("{amount} a month").format(amount=each)] for each in caps]
        self.auto_cap = self.auto_cap or str(caps[min(_USUAL_CAP, len(caps) - 1)].minor)
        words = _("Turn on: {gigabytes} GB for {total} with tax each time")
        self.auto_button = words.format(gigabytes=gigabytes, total=total)


def _one_of(options: list[list[str]], value: object, name: str) -> str:
    """Return a value that the page offers. Raises InvalidInput."""
    for option, _words in options:
        if option == value:
            return option
    raise InvalidInput({name: "Choose one of the options."})


def _rows(found: AutoStanding) -> AutoRows:
    choice = found.choice
    if choice is None:
        return AutoRows()
    problem = _(_OFF_WORDS[choice.off_reason]) if choice.off_reason in _OFF_WORDS else ""
    return AutoRows(choice.is_on, problem, _facts(choice, found.spent) if choice.is_on else [])


def _facts(choice: AutoTopUp, spent: Money) -> list[Fact]:
    each_time = _("{gigabytes} GB for {total}").format(gigabytes=choice.gigabytes, total=choice.total)
    return [
        Fact(_("Bought each time"), each_time),
        Fact(_("When data are left"), _("at {amount} or less").format(amount=data_amount(choice.threshold_mb))),
        Fact(_("Limit a month"), str(choice.cap)),
        Fact(_("Top-ups this month"), str(spent)),
    ]
