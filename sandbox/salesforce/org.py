"""The whole org: its parts put together, and the two doors by which clients reach it."""

from starlette.routing import BaseRoute

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.change_events import ChangeEvents
from sandbox.salesforce.bus.managed import ManagedPositions
from sandbox.salesforce.bus.pubsub import PubSub, PubSubServer
from sandbox.salesforce.bus.subscription import Pace
from sandbox.salesforce.flows import Flows
from sandbox.salesforce.login.login import Login
from sandbox.salesforce.login.oauth import OAuthDoor
from sandbox.salesforce.rest.queries import Queries
from sandbox.salesforce.rest.resources import Resources
from sandbox.salesforce.rest.rest import RestDoor
from sandbox.salesforce.rest.usage import Usage
from sandbox.salesforce.rows import Rows
from sandbox.salesforce.sessions import Sessions
from sandbox.salesforce.support_rules import SupportRules
from sandbox.settings import SandboxSettings
from sandbox.store import Store


class SalesforceSandbox:
    """A Salesforce org that keeps everything in the store.

    `rows` writes with all rules, automation and change events, as a person at the org would; `routes` go to the root
    of the HTTP and HTTPS apps; `start_pubsub` opens the gRPC side.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        store: Store,
        clock: Clock,
        faults: Faults,
        public_key_pem: bytes,
        *,
        pace: Pace | None = None,
    ) -> None:
        self.rows = Rows(store, clock, settings.sf_username, settings.sf_org_id)
        self.bus = Bus(store, clock, faults)
        self._listen(store, clock, faults)
        sessions = Sessions(store, clock, settings.sf_org_id)
        usage = Usage(store, clock, faults, daily=settings.sf_daily_requests)
        resources = Resources(
            self.rows,
            Queries(self.rows, store, clock, faults),
            self.bus,
            store,
            usage,
        )
        oauth = OAuthDoor(settings, Login(settings, public_key_pem), sessions, faults)
        self.routes: list[BaseRoute] = [*oauth.routes, *RestDoor(resources, sessions, faults, usage).routes]
        self._pubsub = PubSub(
            self.bus,
            sessions,
            faults,
            ManagedPositions(store, self.bus),
            org_id=settings.sf_org_id,
            pace=pace or Pace(),
        )
        self._server = PubSubServer(self._pubsub)

    @property
    def active_subscribers(self) -> int:
        """How many Subscribe streams are open."""
        return self._pubsub.active_subscribers

    async def start_pubsub(self, host: str, port: int, certificate_pem: bytes, key_pem: bytes) -> int:
        """Serve Pub/Sub over TLS and return the port; port 0 picks a free one."""
        return await self._server.start(f"{host}:{port}", certificate_pem, key_pem)

    async def stop_pubsub(self) -> None:
        """Cut all streams and stop serving Pub/Sub; the log stays."""
        await self._server.stop()

    def _listen(self, store: Store, clock: Clock, faults: Faults) -> None:
        flows = Flows(self.rows, self.bus, clock, faults)
        self.rows.on_change += [SupportRules(self.rows, faults).on_change, flows.on_change]
        self.rows.on_commit += [ChangeEvents(store, self.bus, faults).publish, flows.on_commit]
        self.rows.after_commit.append(self.bus.wake)
