"""The WHMCS sandbox put together: API, client area and bridge of one installation."""

from pathlib import Path

from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.settings import SandboxSettings
from sandbox.store import Store
from sandbox.whmcs.api import Api
from sandbox.whmcs.automation import Automation
from sandbox.whmcs.bridge import Bridge
from sandbox.whmcs.client_area import ClientArea
from sandbox.whmcs.installation import Installation


class WhmcsSandbox:
    """WHMCS on loopback. `installation` holds its rows, `routes` its pages, `bridge` its outgoing events."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Clock, faults: Faults) -> None:
        self.installation = Installation(settings, store, clock, faults)
        self.bridge = Bridge(self.installation)
        self.automation = Automation(self.installation)
        self.routes = [Mount("/whmcs", routes=_routes(self.installation, self.automation))]


def _routes(whmcs: Installation, automation: Automation) -> list[Route | Mount]:
    area = ClientArea(whmcs)
    both = ["GET", "POST"]
    cards = "/index.php/account/paymentmethods"
    return [
        Route("/includes/api.php", Api(whmcs, automation).__call__, methods=["POST"]),
        Route("/oauth/singlesignon.php", area.sign_on),
        Route("/", lambda request: RedirectResponse("/whmcs/clientarea.php", 303)),
        Route("/clientarea.php", area.guarded(area.home)),
        Route(cards, area.guarded(area.cards), methods=both),
        Route(f"{cards}/delete", area.guarded(area.remove_card), methods=["POST"]),
        Route(f"{cards}/default", area.guarded(area.default_card), methods=["POST"]),
        Route("/viewinvoice.php", area.guarded(area.invoice), methods=both),
        Route("/dl.php", area.guarded(area.download)),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
