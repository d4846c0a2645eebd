"""The Freebit sandbox put together: the network and its one door."""

from starlette.routing import Route

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.freebit.api import Api
from sandbox.freebit.network import Network
from sandbox.settings import SandboxSettings
from sandbox.store import Store


class FreebitSandbox:
    """Freebit on loopback. `network` holds lines and SIMs, `routes` its API."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Clock, faults: Faults) -> None:
        self.network = Network(settings, store, clock, faults)
        self.routes = [Route("/emptool/api/{operation:path}", Api(self.network).__call__, methods=["POST"])]
