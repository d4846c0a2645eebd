"""What requests leave behind: one log line each, and counters summed over processes."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import structlog
from prometheus_client import generate_latest
from starlette.types import Receive, Scope, Send

from portal_app.api.http.access_log import AccessLog
from portal_app.infra.metrics_folder import HostFigures
from portal_app.infra.tasks.deadline import remaining_seconds
from portal_app.state.shell.error_reporting import report_errors
from tests.support.clients.visitor import Visitor

_COUNT = """
from portal_app.infra.metrics import count_request
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.settings import Settings
metrics = Metrics(Settings(), "web", serves=False).start()
count_request("GET", "/api/me", status=200, seconds=0.02)
metrics.stop()
"""


async def test_a_request_leaves_one_line_without_ids_or_queries(ben: Visitor) -> None:
    with structlog.testing.capture_logs() as logs:
        await ben.get("/api/invoices/4711?secret=query")
    lines = [line for line in logs if line["event"] == "request"]
    assert len(lines) == 1
    assert {name: lines[0][name] for name in ("method", "route", "status")} == {
        "method": "GET",
        "route": "/api/invoices/{invoice_id}",
        "status": 404,
    }
    assert "4711" not in str(lines) and "secret" not in str(lines)


async def test_a_sign_on_link_is_in_no_log_line(ben: Visitor) -> None:
    with structlog.testing.capture_logs() as logs:
        link = (await ben.call("POST", "/api/payment-methods/sso-link", {"back": ""})).json()["url"]
    assert httpx.URL(link).query.decode() not in str(logs) and link not in str(logs)


def test_figures_of_all_processes_are_summed(tmp_path: Path) -> None:
    folder = str(tmp_path / "figures")
    environment = {"PROMETHEUS_MULTIPROC_DIR": folder, "PORTAL_ENV": "development", "PATH": ""}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _COUNT], env=environment, check=True)
    shown = generate_latest(HostFigures(Path(folder), "web")).decode()
    assert 'portal_http_requests_total{method="GET",route="/api/me",status="200"} 2.0' in shown
    assert 'portal_http_seconds_bucket{le="0.025",method="GET",route="/api/me"} 2.0' in shown


async def waits() -> list[float]:
    """Return what is left of a deadline of ten seconds now and a little later."""
    now = remaining_seconds(10)
    await asyncio.sleep(0.01)
    return [now, remaining_seconds(10)]


async def test_a_request_and_a_page_event_have_one_deadline_each() -> None:
    seen: list[list[float]] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await waits())

    @report_errors
    async def handler(page: SimpleNamespace) -> None:
        seen.append(await waits())

    @report_errors
    async def handler_in_steps(page: SimpleNamespace) -> AsyncIterator[None]:
        yield
        seen.append(await waits())

    page = SimpleNamespace(router=SimpleNamespace(url=SimpleNamespace(path="/")))
    with structlog.testing.capture_logs():
        await AccessLog(serve)({"type": "http", "method": "GET", "path": "/other"}, None, None)  # type: ignore[arg-type]
    await handler(page)
    async for _ in handler_in_steps(page):
        pass
    assert all(10 >= first > second for first, second in seen) and len(seen) == 3
    assert await waits() == [10, 10]
