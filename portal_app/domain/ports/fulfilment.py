"""The vendors that carry an order out, together; errors as in `ports`."""

from typing import Protocol

from portal_app.domain.ports.billing import PaymentMethodGateway, SubscriptionGateway, WhmcsOrderGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.ports.sim import SimInventoryGateway, SimLines


class LinkingVendors(Protocol):
    """The gateways that tell which line is a service's, and ask agents where that is doubtful."""

    @property
    def subscriptions(self) -> SubscriptionGateway: ...

    @property
    def sims(self) -> SimLines: ...

    @property
    def crm(self) -> CrmGateway: ...


class FulfillingVendors(Protocol):
    """The gateways that bill an order, open its line and inform the agents."""

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
