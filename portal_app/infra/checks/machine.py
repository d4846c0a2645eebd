"""Checks of this machine: keys, built pages, the port, open files, the folder of figures and the interpreter."""

import asyncio
import platform
import resource
import socket
from contextlib import suppress

from portal_app.frontend_files import ROOT, client_folder, is_built_from, stamp_of
from portal_app.infra.checks.check import Check, Problem, Process, Unfit
from portal_app.infra.checks.http_probe import get
from portal_app.infra.interpreter import known_flaws
from portal_app.infra.metrics_folder import folder_of, prepare
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings

_ANSWER_SECONDS = 3.0
OUTDATED_PAGES = "the pages are built from other sources than this code"


def machine_checks(settings: Settings, process: Process) -> list[Check]:
    """Return the checks of this machine."""

    async def keys() -> str:
        return check_keys(settings)

    async def pages() -> str:
        check_built()
        return await asyncio.to_thread(check_pages_are_current)

    async def port() -> str:
        return await _port_or_portal(settings)

    async def files() -> str:
        return check_open_files(settings)

    async def figures() -> str:
        return check_figures(settings)

    async def interpreter() -> str:
        return check_interpreter()

    checks = [Check("machine.keys", "Encryption keys", keys), Check("machine.python", "Python", interpreter)]
    checks.append(Check("machine.figures", "Folder of figures", figures))
    if process in ("web", "all"):
        checks.append(Check("machine.pages", "Built pages", pages, seconds=30))
        checks.append(Check("machine.port", "Port of the web process", port))
        checks.append(Check("machine.files", "Open files", files))
    return checks


def start_checks(settings: Settings, process: Process) -> list[Check]:
    """Return those of the checks without which a process is useless."""

    async def keys() -> str:
        return check_keys(settings)

    async def pages() -> str:
        return check_built()

    async def port() -> str:
        return check_port(settings)

    checks = [Check("machine.keys", "Encryption keys", keys)]
    if process == "web":
        checks.append(Check("machine.pages", "Built pages", pages))
        checks.append(Check("machine.port", "Port of the web process", port))
    return checks


def check_keys(settings: Settings) -> str:
    """Raise Unfit for a key ring that cannot be used."""
    try:
        ring = KeyRing.parse(settings.portal_keys.get_secret_value(), "", current=settings.portal_key_current)
    except ValueError as error:
        # The ring says which id is wrong, never a key.
        wrong = f"The encryption keys cannot be used: {error}."
        do = "PORTAL_KEYS and PORTAL_KEY_CURRENT must fit; docs/operations.md (PORTAL_KEYS) says how to change keys."
        raise Unfit(Problem(wrong, do, "PORTAL_KEYS", is_final=True)) from error
    return f"key {ring.current} seals"


def check_built() -> str:
    """Raise Unfit where the pages are not built."""
    folder = client_folder()
    if not (folder / "404.html").is_file():
        wrong = f"No built pages are in {folder}."
        do = "Use the image, which holds them, or run python -m portal_app.local.frontend; "
        do += "REFLEX_WEB_WORKDIR must lead to the folder above build/client."
        raise Unfit(Problem(wrong, do, "REFLEX_WEB_WORKDIR", is_final=True))
    return str(folder)


def check_pages_are_current() -> str:
    """Raise Unfit for pages of another version; reads all sources."""
    if not is_built_from(client_folder(), stamp_of(ROOT)):
        wrong = f"The pages do not fit: {OUTDATED_PAGES}."
        raise Unfit(Problem(wrong, "Build them again from this version, or install one version whole."))
    return "built from this version"


def check_port(settings: Settings) -> str:
    """Raise Unfit for a port that another process serves: the kernel would share it silently between both."""
    place = f"{settings.portal_host}:{settings.portal_port}"
    family = socket.AF_INET6 if ":" in settings.portal_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.portal_host, settings.portal_port))
        except OSError as error:
            wrong = f"{place} cannot be bound: {error.strerror}."
            do = "Stop what serves it (ss -ltnp), or choose another PORTAL_PORT and PORTAL_HOST."
            raise Unfit(Problem(wrong, do, "PORTAL_PORT", is_final=True)) from error
    return f"{place} is free"


def check_open_files(settings: Settings) -> str:
    """Raise Unfit where this user may open too few files for the connections that the settings allow."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.portal_connections * 2
    if hard != resource.RLIM_INFINITY and hard < needed:
        wrong = f"A process may open {hard} files; PORTAL_CONNECTIONS={settings.portal_connections} needs {needed}."
        do = (
            "Set LimitNOFILE of the unit (ulimits of compose) at least so high; fewer connections are taken until then."
        )
        raise Unfit(Problem(wrong, do, "PORTAL_CONNECTIONS", is_warning=True))
    return "unlimited" if hard == resource.RLIM_INFINITY else str(hard)


def check_figures(settings: Settings) -> str:
    """Raise Unfit where the processes cannot share their figures."""
    folder = folder_of(settings)
    probe = folder / "doctor.probe"
    try:
        prepare(folder)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        wrong = f"Figures cannot be written to {folder}: {error.strerror or error}."
        do = "Give the portal's user this folder, or name another one; without it /metrics stays empty."
        raise Unfit(Problem(wrong, do, "PROMETHEUS_MULTIPROC_DIR", is_warning=True)) from error
    return str(folder)


def check_interpreter() -> str:
    """Raise Unfit for an interpreter with known vulnerabilities."""
    if flaws := known_flaws():
        wrong = f"Python {platform.python_version()} has known vulnerabilities: {', '.join(flaws)}."
        raise Unfit(Problem(wrong, "Install a later patch level.", is_warning=True))
    return platform.python_version()


async def _port_or_portal(settings: Settings) -> str:
    try:
        return check_port(settings)
    except Unfit:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.portal_host, settings.portal_host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        # A program that speaks no HTTP, or says nothing, is another program too.
        with suppress(OSError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await get(f"http://{shown}:{settings.portal_port}/api/health/live")
            if answer.status == 200 and b'"ok"' in answer.body:
                return f"a web process of the portal serves {settings.portal_host}:{settings.portal_port}"
        raise
