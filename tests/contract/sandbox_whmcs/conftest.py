"""A sandbox process with a webhook receiver of our own, shared by the tests of this folder."""

import json
import os
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

from tests.support.vendors.hook_receiver import Receiver, listening
from tests.support.waiting import LONGEST_SECONDS

# Plain http only: one empty context for all saves reading the certificate store for each test.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ROOT = Path(__file__).parents[3]


class Process:
    """The sandbox as an operating-system process that can be killed and started again on the same ports."""

    def __init__(self, home: Path, webhook_url: str) -> None:
        self.home = home
        self.variables = os.environ | {
            "SANDBOX_HOME": str(home),
            "SANDBOX_WHMCS_WEBHOOK_URL": webhook_url,
            "SANDBOX_HTTP_PORT": "0",
            "SANDBOX_HTTPS_PORT": "0",
            "SANDBOX_PUBSUB_PORT": "0",
            "SANDBOX_SMTP_PORT": "0",
        }

    def start(self) -> None:
        """Start and wait until it says that it is ready."""
        command = [sys.executable, "-m", "sandbox.main", "serve"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.variables, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "ready" not in line:
            self.stop(signal.SIGKILL)
            pytest.fail(f"the sandbox did not start: {line!r}")
        ports = json.loads((self.home / "running.json").read_text())
        self.variables |= {f"SANDBOX_{name.upper()}": str(ports[name]) for name in ports if name.endswith("_port")}

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=LONGEST_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def settings(self) -> dict[str, str]:
        """Return what `sandbox.main env` prints."""
        command = [sys.executable, "-m", "sandbox.main", "env"]
        printed = subprocess.run(command, cwd=ROOT, env=self.variables, capture_output=True, text=True, check=True)
        path = self.home / "printed.env"
        path.write_text(printed.stdout)
        return {name: value or "" for name, value in dotenv_values(path).items()}


class Whmcs:
    """The API as a plain HTTP client sees it."""

    def __init__(self, browser: httpx.AsyncClient, settings: dict[str, str]) -> None:
        self.browser = browser
        self.settings = settings
        self.url = settings["WHMCS_API_URL"]
        self.site = settings["WHMCS_URL"]
        self.office = self.site.removesuffix("/whmcs") + "/office"

    async def post(self, action: str, **fields: Any) -> httpx.Response:
        """Post an action with credentials; fields override them."""
        keys = {"identifier": self.settings["WHMCS_API_IDENTIFIER"], "secret": self.settings["WHMCS_API_SECRET"]}
        return await self.browser.post(self.url, data={**keys, "action": action, "responsetype": "json", **fields})

    async def call(self, action: str, **fields: Any) -> Any:
        """Post an action and return its parsed answer."""
        return (await self.post(action, **fields)).json()

    async def error(self, action: str, **fields: Any) -> str:
        """Post an action that is refused with HTTP 200 and return the message."""
        answer = await self.post(action, **fields)
        assert (answer.status_code, answer.json()["result"]) == (200, "error")
        return str(answer.json()["message"])

    async def new_client(self, **fields: Any) -> int:
        """Add a client with an address of its own and return its id."""
        return int((await self.call("AddClient", **new_person(), **fields))["clientid"])

    async def new_order(self, client: int, **fields: Any) -> Any:
        """Order one VPN plan for a client."""
        line = {"pid[0]": "33", "billingcycle[0]": "monthly", "qty[0]": "1"}
        return await self.call("AddOrder", clientid=client, paymentmethod="stripe", **line, **fields)

    async def sign_on(self, client: int, path: str) -> httpx.Response:
        """Follow a fresh single sign-on link to a page of the client area."""
        fields = {"destination": "sso:custom_redirect", "sso_redirect_path": path}
        token = await self.call("CreateSsoToken", client_id=client, **fields)
        return await self.browser.get(token["redirect_url"], follow_redirects=True)

    async def set_faults(self, vendor: str, **set_faults: Any) -> None:
        """Set the faults of a vendor through the back office."""
        assert (await self.browser.post(f"{self.office}/api/faults/{vendor}", json=set_faults)).status_code == 200

    async def staff(self, kind: str, number: object, action: str, **wanted: Any) -> Any:
        """Do in the back office what only WHMCS's staff can, and return the row."""
        done = await self.browser.post(f"{self.office}/api/whmcs/{kind}/{number}/{action}", json=wanted)
        assert done.status_code == 200, done.text
        return done.json()


def new_person() -> dict[str, str]:
    """Return the identity fields of somebody new."""
    return {
        "firstname": "Hana", "lastname": "Sato", "email": f"{uuid.uuid4().hex}@example.jp",
        "address1": "1-1 Marunouchi", "city": "Chiyoda-ku", "state": "Tokyo", "postcode": "100-0005", "country": "JP",
        "phonenumber": "090-1234-5678", "password2": "correct horse",
    }  # fmt: skip


@pytest.fixture(scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """The webhook receiver in place of the portal."""
    async with listening() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def own_receiver() -> AsyncIterator[Receiver]:
    """The webhook receiver of the sandbox that a test may kill."""
    async with listening() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def process(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A running sandbox."""
    process = Process(tmp_path_factory.mktemp("sandbox"), receiver.url)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def mortal(tmp_path_factory: pytest.TempPathFactory, own_receiver: Receiver) -> Iterator[Process]:
    """A sandbox beside the other, for the tests of its own life."""
    process = Process(tmp_path_factory.mktemp("mortal"), own_receiver.url)
    process.start()
    yield process
    if process.process.poll() is None:
        process.stop()


@pytest.fixture
def own(mortal: Process) -> Process:
    """A running sandbox that a test may kill."""
    if mortal.process.poll() is not None:
        mortal.start()
    return mortal


@pytest.fixture
async def own_whmcs(own: Process) -> AsyncIterator[Whmcs]:
    """The API of the sandbox that a test may kill."""
    async with httpx.AsyncClient(verify=_NO_TLS, trust_env=False, timeout=LONGEST_SECONDS) as browser:
        yield Whmcs(browser, own.settings())


@pytest.fixture
def person() -> Callable[[], dict[str, str]]:
    """Make the identity fields of somebody new."""
    return new_person


@pytest.fixture(scope="session")
def printed(process: Process) -> dict[str, str]:
    """The settings the sandbox prints for its clients."""
    return process.settings()


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A fresh browser."""
    async with httpx.AsyncClient(verify=_NO_TLS, trust_env=False, timeout=LONGEST_SECONDS) as browser:
        yield browser


@pytest.fixture
def whmcs(printed: dict[str, str], browser: httpx.AsyncClient) -> Whmcs:
    """The API and a fresh browser."""
    return Whmcs(browser, printed)


@pytest.fixture
async def set_faults(whmcs: Whmcs) -> AsyncIterator[Callable[..., Any]]:
    """Set the faults of a vendor; every vendor is healthy again afterwards."""
    yield whmcs.set_faults
    for vendor in ("whmcs", "mail"):
        await whmcs.set_faults(vendor)
