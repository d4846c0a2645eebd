"""The sandbox process: all vendors, the mail sink and the back office in one event loop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from sandbox.back_office.actions import BackOffice
from sandbox.back_office.address_checks import AddressChecks
from sandbox.back_office.identity_checks import IdentityChecks
from sandbox.back_office.office import Office
from sandbox.back_office.sim_lines import SimLines
from sandbox.back_office.support import SupportCases
from sandbox.broken_answers import CuttableProtocol
from sandbox.clock import CLOCK_FILE, Clock, parse_shift
from sandbox.environment import as_dotenv, environment, has_run, write_running
from sandbox.faults import Faults
from sandbox.freebit.site import FreebitSandbox
from sandbox.keys import Keys
from sandbox.mailbox import Mailbox
from sandbox.salesforce.org import SalesforceSandbox
from sandbox.salesforce.rest.files import Files
from sandbox.settings import SandboxSettings
from sandbox.store import Store
from sandbox.whmcs.site import WhmcsSandbox
from sandbox.world import Vendors, pricebook_id, seed
from sandbox.world_file import BadWorld, read_world

_PORTS = ("http_port", "https_port", "pubsub_port", "smtp_port")
_STOP_SECONDS = 2.5
WorldOption = Annotated[Path | None, typer.Option(help="A described world, see docs/integrations/sandbox.md")]
ShiftOption = Annotated[str, typer.Option(help="How far to move it: 45m, 3h, 10d, or back with -3h")]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class Sandbox:
    """Everything between start and stop. Ports given as 0 are chosen by the system and written into the settings.

    Raises BadWorld for a world file that cannot be used.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.world = read_world(settings.world)
        self._keys = Keys(settings.home)
        self._keys.ensure()
        self.store = Store(settings.home / "sandbox.db")
        self.clock = Clock(self.store, settings.home / CLOCK_FILE)
        self.faults = Faults(self.store)
        self.mailbox = Mailbox(self.store, self.clock, self.faults)
        self._servers: list[uvicorn.Server] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen everywhere, seed an empty world and write down the ports."""
        settings, keys = self.settings, self._keys
        plain, secure = _listen(settings.host, settings.http_port), _listen(settings.host, settings.https_port)
        settings.http_port, settings.https_port = plain.getsockname()[1], secure.getsockname()[1]
        public_key = keys.client_public.read_bytes()
        self.whmcs = WhmcsSandbox(settings, self.store, self.clock, self.faults)
        self.salesforce = SalesforceSandbox(settings, self.store, self.clock, self.faults, public_key)
        self.freebit = FreebitSandbox(settings, self.store, self.clock, self.faults)
        self._seed()
        self.clock.write_offset()
        certificate, key = keys.server.read_bytes(), keys.server_key.read_bytes()
        settings.pubsub_port = await self.salesforce.start_pubsub(
            settings.host, settings.pubsub_port, certificate, key
        )  # fmt: skip
        settings.smtp_port = await self.mailbox.start(settings.host, settings.smtp_port)
        self.whmcs.bridge.start()
        await self._serve(plain, secure)
        self._write_down()

    async def stop(self) -> None:
        """Stop listening and close the store."""
        for server in self._servers:
            server.should_exit = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self.mailbox.stop()
                await self.whmcs.bridge.stop()
                await asyncio.gather(self.salesforce.stop_pubsub(), *self._tasks)

    def reset(self) -> None:
        """Delete everything and seed again."""
        with self.store.transaction():
            self.store.reset()
            self._seed()
        self.clock.write_offset()

    def _seed(self) -> None:
        seed(Vendors(self.salesforce.rows, self.whmcs.installation, self.freebit.network), self.world)

    async def _serve(self, plain: socket.socket, secure: socket.socket) -> None:
        actions = BackOffice(self.whmcs.installation, self.salesforce.rows, self.mailbox, self.reset)
        rows = self.salesforce.rows
        sims, identity = SimLines(self.freebit.network, rows), IdentityChecks(rows, self.store)
        support = SupportCases(rows, Files(rows, self.store))
        office = Office(actions, sims, AddressChecks(rows), identity=identity, support=support, host=self.settings.host)
        home = Route("/", lambda request: RedirectResponse("/office", 303))
        site = Starlette(
            routes=[home, *self.whmcs.routes, *office.routes, *self.freebit.routes, *self.salesforce.routes]
        )
        shared: dict[str, Any] = {"lifespan": "off", "log_level": "error", "access_log": False}
        shared["http"] = CuttableProtocol
        shared["timeout_graceful_shutdown"] = 1
        tls: dict[str, Any] = {"ssl_certfile": str(self._keys.server), "ssl_keyfile": str(self._keys.server_key)}
        doors: list[tuple[socket.socket, dict[str, Any]]] = [(plain, shared), (secure, shared | tls)]
        for sock, options in doors:
            server = _Server(uvicorn.Config(site, **options))
            self._servers.append(server)
            self._tasks.append(asyncio.create_task(server.serve(sockets=[sock])))
        logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
        while not all(server.started for server in self._servers):
            await asyncio.sleep(0.01)

    def _write_down(self) -> None:
        facts = {name: getattr(self.settings, name) for name in _PORTS}
        facts["pricebook_id"] = pricebook_id(self.salesforce.rows)
        write_running(self.settings, facts)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _is_no_cut(record: logging.LogRecord) -> bool:
    """Keep out of the log that an answer was cut: the sandbox does it on purpose."""
    return "without completing response" not in record.getMessage()


@app.callback(invoke_without_command=True)
def sandbox(context: typer.Context, world: WorldOption = None) -> None:
    """Run the sandbox vendors; without a command the same as `serve`."""
    if context.invoked_subcommand is None:
        _run(world)


@app.command()
def serve(world: WorldOption = None) -> None:
    """Run the sandbox until SIGTERM or Ctrl-C."""
    _run(world)


@app.command()
def env() -> None:
    """Print the settings with which a client reaches the running sandbox, in dotenv form."""
    settings = SandboxSettings()
    if not has_run(settings.home):
        typer.echo(f"No sandbox has run in {settings.home} yet: start it with serve.", err=True)
        raise typer.Exit(1)
    typer.echo(as_dotenv(environment(settings)))


@app.command()
def clock(shift: ShiftOption = "") -> None:
    """Show the running sandbox's clock, or move it: the vendors and a portal in development follow at once."""
    settings = SandboxSettings()
    try:
        url = environment(settings)["SANDBOX_CLOCK_URL"]
        answer = httpx.post(url, json={"seconds": parse_shift(shift)}) if shift else httpx.get(url)
    except (OSError, ValueError, httpx.HTTPError) as error:
        typer.echo(f"The clock cannot be reached: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(answer.json()["now"])


@app.command()
def usage(days: Annotated[int, typer.Option(help="Whole days before today", min=1, max=800)] = 400) -> None:
    """Print the daily usage file of every SIM line, as the carrier sends it on request."""
    typer.echo(_file_of("sim-usage.csv", days), nl=False)


@app.command()
def calls(days: Annotated[int, typer.Option(help="Days before today", min=1, max=800)] = 90) -> None:
    """Print the file of calls and SMS of every SIM line with voice, as the carrier sends it on request."""
    typer.echo(_file_of("sim-calls.csv", days), nl=False)


def _file_of(name: str, days: int) -> str:
    try:
        office = environment(SandboxSettings())["SANDBOX_OFFICE_URL"]
        return httpx.get(f"{office}/api/{name}", params={"days": days}, timeout=60).raise_for_status().text
    except (OSError, ValueError, httpx.HTTPError) as error:
        typer.echo(f"The sandbox cannot be reached: {error}", err=True)
        raise typer.Exit(1) from error


def _run(world: Path | None) -> None:
    settings = SandboxSettings() if world is None else SandboxSettings(world=world)
    try:
        asyncio.run(_serve_until_told(settings))
    except (OSError, BadWorld) as error:
        typer.echo(f"The sandbox cannot start: {error}", err=True)
        raise typer.Exit(1) from error


async def _serve_until_told(settings: SandboxSettings) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    sandbox = Sandbox(settings)
    await sandbox.start()
    typer.echo(f"Sandbox ready: back office at {settings.base_url}/office, mail sink on port {settings.smtp_port}")
    await told.wait()
    await sandbox.stop()


def _listen(host: str, port: int) -> socket.socket:
    # Named TCP, so that asyncio turns Nagle off: an answer in two packets would wait 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"port {port} on {host}: {error.strerror}") from error
    sock.listen(128)
    return sock


if __name__ == "__main__":
    app()
