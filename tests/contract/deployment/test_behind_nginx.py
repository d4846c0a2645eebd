"""The portal behind a real nginx: nothing has to be raised for it, and the sample we ship serves all of it."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from benchmarks.event_socket import event_socket
from portal_app.local.ports import free_port
from tests.contract.deployment.nginx import HOST, make_certificate, running_nginx, sample, stock
from tests.support.running.site import HYDRATE, Site, running_site
from tests.support.running.world import AIKO, BEN, PASSWORD, world

MEGABYTE = 1024 * 1024
CUSTOMER = "127.7.7.7"
PAGES = {"/": 200, "/auth/login": 200, "/dashboard": 303, "/plans/vpn": 200, "/ja": 200, "/no-such-page": 404}


@dataclass(frozen=True)
class Front:
    """Our sample in front of the portal: an HTTPS client that trusts it, and what websockets need."""

    https: httpx.Client
    http: httpx.Client
    port: int
    trust: ssl.SSLContext
    log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("site") / "web.log"
    with running_site(log, portal_url=f"https://{HOST}", portal_trusted_proxies=1, portal_web_workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def behind_default_nginx(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    port = free_port()
    config = stock(port, httpx.URL(site.url).port or 0)
    with (
        running_nginx(tmp_path_factory.mktemp("stock"), config),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def front(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home, port, plain = tmp_path_factory.mktemp("sample"), free_port(), free_port()
    trust = ssl.create_default_context(cafile=make_certificate(home))
    named: dict[str, Any] = {"headers": {"host": HOST}, "timeout": 30}
    # From an address that the portal can only know from nginx.
    way = httpx.HTTPTransport(verify=trust, local_address=CUSTOMER)
    with (
        running_nginx(home, sample(port, plain, httpx.URL(site.url).port or 0)),
        httpx.Client(base_url=f"https://127.0.0.1:{port}", transport=way, **named) as https,
        httpx.Client(base_url=f"http://127.0.0.1:{plain}", **named) as http,
    ):
        yield Front(https, http, port, trust, home / "error.log")


def ask(front: Front, method: str, path: str, **options: Any) -> httpx.Response:
    return front.https.request(method, path, extensions={"sni_hostname": HOST}, **options)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_passes_a_stock_nginx_with_nothing_but_proxy_pass(behind_default_nginx: httpx.Client, path: str) -> None:
    assert behind_default_nginx.get(path).status_code == PAGES[path]


@pytest.mark.parametrize("path", PAGES)
def test_our_sample_serves_every_page_though_one_unit_is_away(front: Front, path: str) -> None:
    assert [ask(front, "GET", path).status_code for _ in range(2)] == [PAGES[path]] * 2


def test_our_sample_leads_plain_http_to_https(front: Front) -> None:
    answer = front.http.get("/plans/vpn")
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{HOST}/plans/vpn")


async def test_our_sample_lets_a_live_page_open_its_websocket(front: Front) -> None:
    way = {"host": "127.0.0.1", "port": front.port, "ssl": front.trust, "server_hostname": HOST}
    async with event_socket(f"https://{HOST}", "/auth/login", **way) as tab:
        assert '"delta"' in await tab.call(HYDRATE)


def test_our_sample_lets_an_identity_document_of_five_megabytes_through(front: Front) -> None:
    ask(front, "POST", "/api/auth/login", json={"email": BEN, "password": PASSWORD}).raise_for_status()
    answer = ask(front, "POST", "/api/me/identity-document", files={"other": b"x" * (5 * MEGABYTE)})
    # The portal read it and misses the document; nginx kept it in memory.
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "buffered to a temporary file" not in front.log.read_text()


def test_our_sample_stops_a_larger_body_before_the_portal(front: Front) -> None:
    answer = ask(front, "POST", "/api/me/identity-document", files={"document": b"x" * (7 * MEGABYTE)})
    assert answer.status_code == 413 and "nginx" in answer.text


def test_our_sample_passes_the_real_client_address_whatever_the_client_sends(front: Front) -> None:
    sign_in = {"json": {"email": AIKO, "password": PASSWORD}, "headers": {"x-forwarded-for": "203.0.113.9"}}
    ask(front, "POST", "/api/auth/login", **sign_in).raise_for_status()
    with psycopg.connect(world().postgres.url()) as database:
        found = database.execute("SELECT address FROM sessions ORDER BY created_at DESC LIMIT 1").fetchone()
    assert found == ("127.7.7.x",)
