"""Headers of documents: each carries the policy of its own scripts, and all of them fit what proxies take."""

import base64
import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.contract.deployment.nginx import HOST
from tests.support.running.site import ROOT, Site, running_site
from tests.support.running.world import BEN, PASSWORD

MOST_BYTES = 3500
CLIENT = ROOT / ".web" / "build" / "client"
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)
# Routes with a parameter and unknown addresses have no file of their own.
UNBUILT = ("/orders/no-such-order", "/ja/subscriptions/77", "/billing/invoices/1", "/no-such-page", "/ja/no/such/page")
CROOKED = ("/auth/login/", "/auth//login/", "/catalog//vpn/")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The web process with the long settings of production: https, a WHMCS at another host."""
    log = tmp_path_factory.mktemp("site") / "web.log"
    with running_site(log, portal_url=f"https://{HOST}", portal_web_workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(site: Site) -> Iterator[httpx.Client]:
    """Ben with a refresh token alone: each document renews his session. Cookies of https are sent by hand."""
    with httpx.Client(base_url=site.url, timeout=30) as client:
        answer = client.post("/api/auth/login", json={"email": BEN, "password": PASSWORD})
        answer.raise_for_status()
        client.cookies.clear()
        client.headers["cookie"] = _refresh_cookie(answer)
        yield client


def built_paths() -> list[str]:
    """Return the paths of all built pages, in every language."""
    found = sorted(file.parent.relative_to(CLIENT).as_posix() for file in CLIENT.rglob("index.html"))
    assert len(found) > 60
    return ["/" + path.removeprefix(".") for path in found]


def test_headers_of_every_document_stay_below_what_proxies_take(signed_in: httpx.Client) -> None:
    sizes, renewed = {}, 0
    for path in [*built_paths(), *UNBUILT, *CROOKED]:
        answer = signed_in.get(path)
        renewed += _take_over(signed_in, answer)
        sizes[path] = len(f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n") + sum(
            len(name) + len(value) + 4 for name, value in answer.headers.raw
        )
    assert {path: size for path, size in sizes.items() if size > MOST_BYTES} == {}
    assert renewed > 30, "hardly any answer renewed the session"


def test_the_policy_of_every_document_names_its_own_inline_scripts_and_no_other(signed_in: httpx.Client) -> None:
    for path in [*built_paths(), *UNBUILT, *CROOKED]:
        answer = signed_in.get(path)
        _take_over(signed_in, answer)
        if answer.status_code == 303:
            # The sign-in page leads a customer on; strangers get it.
            answer = httpx.get(signed_in.base_url.join(path), timeout=30)
        assert answer.status_code in (200, 404), path
        assert set(re.findall(r"'sha256-[^']+'", _policy(answer))) == _hashes(answer.text), path


@pytest.mark.parametrize("path", ["/", "/ja/plans/vpn", "/auth/signup", "/dashboard", "/orders/no-such-order"])
def test_a_page_that_did_not_change_keeps_its_policy(signed_in: httpx.Client, path: str) -> None:
    first = signed_in.get(path)
    _take_over(signed_in, first)
    second = signed_in.get(path, headers={"if-none-match": first.headers["etag"]})
    _take_over(signed_in, second)
    assert second.status_code == 304 and _policy(second) == _policy(first)


def _policy(answer: httpx.Response) -> str:
    return answer.headers["content-security-policy"]


def _hashes(page: str) -> set[str]:
    return {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in INLINE.findall(page)
    }


def _refresh_cookie(answer: httpx.Response) -> str:
    found = [line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-portal-refresh=")]
    return found[0].partition(";")[0] if found else ""


def _take_over(client: httpx.Client, answer: httpx.Response) -> bool:
    """Keep the refresh token an answer brought; say whether it brought one."""
    client.cookies.clear()
    if brought := _refresh_cookie(answer):
        client.headers["cookie"] = brought
    return bool(brought)
