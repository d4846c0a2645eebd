"""Voice options of a line that customers switch: which there are, and what each costs a month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from portal_app.domain.catalog.plan import CatalogItem
from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.sim.sim import NetworkType, VoiceOption

NETWORKS: tuple[NetworkType, ...] = get_args(NetworkType)
# Calls, messages and data abroad are charged apart, by what is used.
WARNED: tuple[VoiceOption, ...] = ("roaming",)


@dataclass(frozen=True, slots=True)
class VoiceOffer:
    """An option with its monthly price without tax; `is_on` is None where the carrier does not tell."""

    option: VoiceOption
    product_id: int
    name: str
    price: Money
    is_on: bool | None = None

    @property
    def warns(self) -> bool:
        """Whether using it costs more than its price."""
        return self.option in WARNED


def voice_offers(items: Iterable[CatalogItem], skus: Mapping[str, str]) -> dict[VoiceOption, VoiceOffer]:
    """Return the options that the catalogue sells and WHMCS bills as shown, by their `skus`."""
    known = {item.sku: item for item in items}
    found: dict[VoiceOption, VoiceOffer] = {}
    for option in get_args(VoiceOption):
        item = known.get(skus.get(option, ""))
        if item is not None and item.whmcs_product_id is not None and item.is_billed_alike:
            found[option] = VoiceOffer(option, item.whmcs_product_id, item.name, item.price)
    return found


def parse_skus(text: str) -> dict[str, str]:
    """Read `option=SKU,option=SKU`. Raises ValueError."""
    pairs = [entry.partition("=") for entry in text.split(",") if entry.strip()]
    found = {name.strip(): sku.strip() for name, _, sku in pairs}
    if not all(found.values()) or not set(found) <= set(get_args(VoiceOption)):
        raise ValueError("write option=SKU, separated by commas")
    return found


def parse_option(value: object) -> VoiceOption:
    """Return the name of an option. Raises InvalidInput."""
    found: VoiceOption | None = next((each for each in get_args(VoiceOption) if each == value), None)
    if found is None:
        raise InvalidInput({"option": "We do not know this option."})
    return found


def parse_network(value: object) -> NetworkType:
    """Return 4G or 5G. Raises InvalidInput."""
    found = next((each for each in NETWORKS if each == value), None)
    if found is None:
        raise InvalidInput({"network": "Choose 4G or 5G."})
    return found
