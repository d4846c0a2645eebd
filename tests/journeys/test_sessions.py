"""Sessions as a customer meets them: renewed unseen, ended everywhere at once, useless to anybody else."""

import re
import time
import uuid

import pytest
import socketio
from playwright.sync_api import expect

from tests.support.running.demo import BEN, Demo
from tests.support.waiting import LONGEST_SECONDS

EVENTS = "/_event"


def test_a_stale_page_renews_itself_at_the_door(visit, demo: Demo) -> None:
    page = visit("/dashboard", email=BEN)
    _drop_access_cookie(page)
    page.goto("/billing/invoices")
    expect(page.get_by_role("link", name="Invoice 2")).to_be_visible()


def test_signing_out_in_one_tab_closes_the_other(visit, demo: Demo) -> None:
    page = visit("/billing/invoices", email=BEN)
    other = page.context.new_page()
    other.goto("/dashboard")
    expect(other.get_by_role("heading", level=1)).to_contain_text("Ben")
    other.get_by_role("button", name="Sign out").first.click()
    other.wait_for_url("**/auth/login*")
    page.wait_for_url("**/auth/login*")
    assert "Invoice 2" not in page.inner_text("body")


def test_a_protected_page_sends_strangers_to_sign_in_and_back(visit, demo: Demo) -> None:
    page = visit("/billing/invoices/2")
    page.wait_for_url(re.compile(r"/auth/login\?next=%2Fbilling%2Finvoices%2F2$"))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_a_socket_from_another_site_is_refused(demo: Demo, origin: str) -> None:
    assert _connected(demo, origin=origin) is None


def test_a_socket_whose_token_is_no_tab_is_refused(demo: Demo) -> None:
    assert _connected(demo, token="user-ben") is None


def test_handlers_called_without_a_cookie_do_nothing(demo: Demo) -> None:
    client = _connected(demo)
    assert client is not None
    received: list[str] = []
    client.on("event", lambda update: received.append(str(update)), namespace=EVENTS)
    for name in _handlers():
        client.emit("event", _event(name), namespace=EVENTS)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not any("must_reload_rx_state_': True" in update for update in received):
        assert time.monotonic() < deadline, received
        client.sleep(0.1)
    # What any other handler would tell comes meanwhile.
    client.sleep(1.5)
    client.disconnect()
    shown = " ".join(received)
    assert not re.search(r"Ben Carter|¥|ben@example|Invoice \d|VPN Router", shown)


def _handlers() -> list[str]:
    pages = {
        "dashboard___dashboard": "dashboard_page", "billing___invoices": "invoices_page",
        "billing___invoice": "invoice_page", "orders___orders": "orders_page", "orders___order": "order_page",
        "subscriptions___subscriptions": "subscriptions_page", "checkout___review": "checkout_page",
        "billing___payment_methods": "payment_methods_page", "profile___account": "account_page",
    }  # fmt: skip
    loads = [f"reflex___state____state.portal_app___state___{module}____{name}.load" for module, name in pages.items()]
    return [*loads, loads[6].replace(".load", ".place_order"), "reflex___state____state.no_such_handler"]


def _event(name: str) -> dict[str, object]:
    return {"name": name, "payload": {}, "router_data": {"pathname": "/dashboard", "query": {}, "asPath": "/dashboard"}}


def _connected(demo: Demo, *, token: str = "", origin: str = "") -> socketio.SimpleClient | None:
    client = socketio.Client(reconnection=False, websocket_extra_options={"origin": origin or demo.url})
    address = f"{demo.url}?token={token or uuid.uuid4()}"
    try:
        client.connect(
            address,
            transports=["websocket"],
            namespaces=[EVENTS],
            socketio_path="_event",
            wait_timeout=LONGEST_SECONDS,
        )
    except socketio.exceptions.ConnectionError:
        return None
    return client


def _drop_access_cookie(page) -> None:
    names = [cookie["name"] for cookie in page.context.cookies()]
    page.context.clear_cookies(name=next(name for name in names if "access" in name))
