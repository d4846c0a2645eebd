"""The vendors that carry an order out, together; errors as in `ports`."""

from typing import Protocol

from portal_app.domain.ports.billing import PaymentMethodGateway, SubscriptionGateway, WhmcsOrderGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.ports.sim import SimInventoryGateway, SimLines


class FulfillingVendors(Protocol):
    """Whoever has these can bill an order, open its line and tell the agents."""

    @property
    def whmcs_orders(self) -> WhmcsOrderGateway: ...

    @property
    def payment_methods(self) -> PaymentMethodGateway: ...

    @property
    def subscriptions(self) -> SubscriptionGateway: ...

    @property
    def crm(self) -> CrmGateway: ...

    @property
    def sims(self) -> SimLines: ...

    @property
    def sim_inventory(self) -> SimInventoryGateway: ...

    @property
    def internet(self) -> EligibilityGateway: ...
