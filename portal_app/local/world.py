"""The demo: servers, sandbox vendors, worker, listener and web process on one machine, with two customers."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from portal_app.local.errors import LocalError
from portal_app.local.frontend import build_frontend, reflex_environment
from portal_app.local.ports import PortBook
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from portal_app.local.supervisor import Supervisor, print_line

ROOT = Path(__file__).resolve().parents[2]
_SANDBOX_PORTS = ("http", "https", "pubsub", "smtp")


class World:
    """Starts everything in order, prints the addresses, and stops it in reverse order. Data stay in `home`."""

    def __init__(self, home: Path, *, port: int = 3000, reloads: bool = False) -> None:
        self.home = home.resolve()
        self._wanted = port
        self._reloads = reloads
        self._began = time.monotonic()
        self._env: dict[str, str] = {}
        self._migrated: Future[str]
        self._customers: Future[str] | None = None

    def run(self) -> int:
        """Run until a stop signal and return the exit code. Raises LocalError."""
        with ThreadPoolExecutor() as self._beside, Supervisor(self.home) as supervisor:
            self._env = self._settings(supervisor)
            print_line("Bringing the database up to date ...")
            self._migrated = self._beside.submit(self._call, "portal_app.infra.database.migrate")
            if not self._reloads:
                build_frontend(ROOT, env=self._env, say=print_line)
            self._add_programs(supervisor)
            print_line("Starting the sandbox vendors and the portal ...")
            return supervisor.run(on_ready=self._welcome)

    def _settings(self, supervisor: Supervisor) -> dict[str, str]:
        ports = PortBook(self.home)
        print_line("Starting PostgreSQL and Valkey ...")
        database = supervisor.attach(
            "PostgreSQL", EmbeddedPostgres(self.home / "postgres", port=ports.claim("postgres", self._wanted + 1))
        )
        redis = supervisor.attach(
            "Valkey", EmbeddedValkey(self.home / "valkey", port=ports.claim("valkey", self._wanted + 2))
        )
        portal = ports.claim("portal", self._wanted)
        metrics = self.home / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        env = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "PORTAL_ENV": "development",
            "PORTAL_ENV_FILE": str(self._vendor_settings),
            "PORTAL_URL": f"http://localhost:{portal}",
            "PORTAL_PORT": str(portal),
            "PORTAL_LOG_FORMAT": os.environ.get("PORTAL_LOG_FORMAT", "text"),
            "PORTAL_METRICS_PORT": str(ports.claim("metrics", self._wanted + 3)),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PORTAL_WEB_WORKERS": os.environ.get("PORTAL_WEB_WORKERS", "1"),
            "PORTAL_POLL_SECONDS": os.environ.get("PORTAL_POLL_SECONDS", "0.2"),
            "PORTAL_CLOCK_FILE": str(self.home / "sandbox" / "clock.offset"),
            "PYTHONPATH": str(ROOT),
            "SANDBOX_HOME": str(self.home / "sandbox"),
            "SANDBOX_PORTAL_URL": f"http://localhost:{portal}",
            "SANDBOX_WHMCS_WEBHOOK_URL": f"http://localhost:{portal}/api/webhooks/whmcs",
        }
        for offset, name in enumerate(_SANDBOX_PORTS):
            env[f"SANDBOX_{name.upper()}_PORT"] = str(ports.claim(f"sandbox-{name}", self._wanted + 10 + offset))
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
            self._customers = self._beside.submit(self._call, "portal_app.jobs.demo_customers")
        return True

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
