"""What a line can be changed to, with prices, by the catalogue."""

from portal_app.domain.errors import NotFound
from portal_app.domain.sim.sim import VoiceOption
from portal_app.domain.sim_changes.plan_change import PlanChoice, plan_choices
from portal_app.domain.sim_changes.voice_option import VoiceOffer, parse_skus, voice_offers
from portal_app.infra.settings import Settings
from portal_app.services.catalog.catalog import Catalog


class LineOffers:
    """Read offers from the catalogue. Raises ExternalUnavailable while there is no copy of it."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._catalog = catalog
        self._skus = parse_skus(settings.portal_voice_skus)

    async def has_voice(self, product_id: int) -> bool:
        """Say whether a WHMCS product is a plan with voice; an unknown one is not."""
        plan = (await self._catalog.sim_plans()).get(product_id)
        return plan is not None and plan.has_voice

    async def voice(self, product_id: int) -> dict[VoiceOption, VoiceOffer]:
        """Return the voice options of a plan. Raises NotFound for one without voice."""
        if not await self.has_voice(product_id):
            raise NotFound("a data line")
        return voice_offers(await self._catalog.sold("sim"), self._skus)

    async def plans(self, product_id: int) -> tuple[PlanChoice | None, list[PlanChoice]]:
        """Return the plan of a WHMCS product, None for one that is not sold, and those it may be changed to."""
        return plan_choices(await self._catalog.sold("sim"), product_id)

    async def product_of(self, option: str) -> int | None:
        """Return the WHMCS product that bills a voice option, None for one that is not sold."""
        found = voice_offers(await self._catalog.sold("sim"), self._skus)
        return next((offer.product_id for name, offer in found.items() if name == option), None)
