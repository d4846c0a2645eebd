"""The demo: servers, sandbox vendors, worker, listener and web process on one machine, with three customers."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from portal_app.local.errors import LocalError, PortTaken
from portal_app.local.frontend import build_frontend, reflex_environment
from portal_app.local.ports import PortBook
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from portal_app.local.supervisor import Supervisor, print_line

ROOT = Path(__file__).resolve().parents[2]
# How often a port may be lost to another program.
_PORT_TRIES = 5
# The sandbox is on this machine, whatever proxy the machine has.
_DIRECT = build_opener(ProxyHandler({}))
_SANDBOX_PORTS = ("http", "https", "pubsub", "smtp")


class World:
    """Starts everything in order, prints the addresses, and stops it in reverse order. Data stay in `home`."""

    def __init__(self, home: Path, *, port: int = 3000, reloads: bool = False) -> None:
        self.home = home.resolve()
        self._wanted = port
        self._reloads = reloads
        self._began = time.monotonic()
        self._env: dict[str, str] = {}
        self._ports = PortBook(self.home)
        self._migrated: Future[str]
        self._customers: Future[str] | None = None

    def run(self) -> int:
        """Run until a stop signal and return the exit code. Raises LocalError."""
        with ThreadPoolExecutor() as self._beside, Supervisor(self.home) as supervisor, self._ports:
            print_line("Starting PostgreSQL and Valkey ...")
            servers = self._start_servers(supervisor)
            self._env = servers | self._settings()
            print_line("Bringing the database up to date ...")
            self._migrated = self._beside.submit(self._call, "portal_app.infra.database.migrate")
            if not self._reloads:
                build_frontend(ROOT, env=self._env, say=print_line)
            for tries_left in reversed(range(_PORT_TRIES)):
                try:
                    return self._run_programs(supervisor, servers)
                except PortTaken:
                    if not tries_left:
                        raise
                    print_line("Another program took one of the ports meanwhile; trying the next ...")
                    self._drop_programs(supervisor)
            raise AssertionError("the last try raises")

    def _start_servers(self, supervisor: Supervisor) -> dict[str, str]:
        """Start PostgreSQL and Valkey, each on the next port where another program takes its own."""

        def attach(label: str, name: str, offset: int, kind: type[EmbeddedPostgres] | type[EmbeddedValkey]) -> str:
            for _ in range(_PORT_TRIES - 1):
                with suppress(PortTaken):
                    return supervisor.attach(label, kind(self.home / name, port=self._claim(name, offset)))
            return supervisor.attach(label, kind(self.home / name, port=self._claim(name, offset)))

        return {
            "DATABASE_URL": attach("PostgreSQL", "postgres", 1, EmbeddedPostgres),
            "REDIS_URL": attach("Valkey", "valkey", 2, EmbeddedValkey),
        }

    def _run_programs(self, supervisor: Supervisor, servers: dict[str, str]) -> int:
        # A port that was lost while the pages were built is another one now.
        self._env = servers | self._settings()
        self._add_programs(supervisor)
        print_line("Starting the sandbox vendors and the portal ...")
        return supervisor.run(on_ready=self._welcome)

    def _drop_programs(self, supervisor: Supervisor) -> None:
        supervisor.drop_programs()
        if self._customers is not None:
            # They were created at vendors that are gone now: whatever came of it, it is done again.
            wait([self._customers])
            self._customers = None

    def _claim(self, name: str, offset: int) -> int:
        return self._ports.claim(name, self._wanted + offset)

    def _settings(self) -> dict[str, str]:
        portal, metrics = self._claim("portal", 0), self.home / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        env = {
            "PORTAL_ENV": "development",
            "PORTAL_ENV_FILE": str(self._vendor_settings),
            "PORTAL_URL": f"http://localhost:{portal}",
            "PORTAL_PORT": str(portal),
            "PORTAL_LOG_FORMAT": os.environ.get("PORTAL_LOG_FORMAT", "text"),
            "PORTAL_METRICS_PORT": str(self._claim("metrics", 3)),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PORTAL_WEB_WORKERS": os.environ.get("PORTAL_WEB_WORKERS", "1"),
            "PORTAL_POLL_SECONDS": os.environ.get("PORTAL_POLL_SECONDS", "0.2"),
            "PORTAL_SUPPORT_PHONE": os.environ.get("PORTAL_SUPPORT_PHONE", "03-0000-0000"),
            "PORTAL_SIM_APN": os.environ.get("PORTAL_SIM_APN", "portal.example.jp"),
            "PORTAL_CLOCK_FILE": str(self.home / "sandbox" / "clock.offset"),
            "PYTHONPATH": str(ROOT),
            "SANDBOX_HOME": str(self.home / "sandbox"),
            "SANDBOX_PORTAL_URL": f"http://localhost:{portal}",
            "SANDBOX_WHMCS_WEBHOOK_URL": f"http://localhost:{portal}/api/webhooks/whmcs",
        }
        for offset, name in enumerate(_SANDBOX_PORTS):
            env[f"SANDBOX_{name.upper()}_PORT"] = str(self._claim(f"sandbox-{name}", 10 + offset))
        return env

    def _add_programs(self, supervisor: Supervisor) -> None:
        python = [sys.executable, "-m"]
        self._vendor_settings.unlink(missing_ok=True)
        # The sandbox gets no settings of the portal: no database, no Redis, no secret.
        own = {name: value for name, value in self._env.items() if name.startswith(("SANDBOX_", "PYTHON"))}
        supervisor.add("sandbox", [*python, "sandbox.main", "serve"], env=own, ready=self._sandbox_is_ready)
        supervisor.add("worker", [*python, "portal_app.jobs.worker"], env=self._env)
        supervisor.add("listener", [*python, "portal_app.jobs.listener"], env=self._env)
        live = f"{self._env['PORTAL_URL']}/api/health/live"
        if self._reloads:
            # Pages are prerendered as in production, because public pages are filled into the prerendered HTML.
            env = {**self._env, **reflex_environment(self.home), "REFLEX_SSR": "true"}
            supervisor.add("web", [*python, "reflex", "run", "--env", "preview"], env=env, ready=live)
        else:
            supervisor.add("web", [*python, "portal_app.jobs.web"], env=self._env, ready=live)

    def _sandbox_is_ready(self) -> bool:
        """Return whether the sandbox runs and the database is migrated; if so, start creating the demo's customers."""
        if not self._vendor_settings.exists() or not self._migrated.done():
            return False
        self._migrated.result()
        if self._customers is None:  # this check runs several times
            self._customers = self._beside.submit(self._set_up_customers)
        return True

    def _set_up_customers(self) -> str:
        """Give the world's customers their accounts, and their SIM lines what the carrier tells by files."""
        people = self._call("portal_app.jobs.demo_customers")
        for name, days in (("usage", 400), ("calls", 90)):
            file = self.home / "sandbox" / f"{name}.csv"
            with _DIRECT.open(f"{self._office}/api/sim-{name}.csv?days={days}", timeout=60) as told:
                file.write_bytes(told.read())
            self._call(f"portal_app.jobs.admin.{name}_import", str(file))
        return people

    @property
    def _vendor_settings(self) -> Path:
        """The file with the settings for the sandbox; the sandbox writes it once it listens."""
        return self.home / "sandbox" / "running.env"

    @property
    def _office(self) -> str:
        return f"http://127.0.0.1:{self._env['SANDBOX_HTTP_PORT']}/office"

    def _welcome(self) -> None:
        people = self._customers.result().rstrip() if self._customers else ""
        print_line(
            f"\nReady after {time.monotonic() - self._began:.1f} s.\n\n"
            f"  Portal        {self._env['PORTAL_URL']}\n"
            f"  Back office   {self._office}   (agent, cashier, mail, saboteur)\n\n"
            f"{people}\n\nCtrl-C stops everything; the data stay in {self.home.name}/."
        )

    def _call(self, module: str, *arguments: str) -> str:
        """Run a module of the portal to its end and return its output. Raises LocalError if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **self._env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise LocalError(f"{module} failed:\n{done.stderr[-2000:]}")
        return done.stdout
