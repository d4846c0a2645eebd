"""A host whose clock is ten minutes off: nobody is signed out by it, and nothing of the outer world is refused."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pyotp
import pytest

from portal_app.infra import clock
from portal_app.infra.database.clock_sync import read_clock
from portal_app.wiring.portal import Portal
from tests.support.clients.authenticator import STEP_SECONDS
from tests.support.clients.visitor import Visitor
from tests.support.clients.webhook_calls import deliver
from tests.support.running.portal_fixtures import hana, portal, visitor, web_side, worker
from tests.support.running.world import PASSWORD

__all__ = ["hana", "portal", "visitor", "web_side", "worker"]
Shift = Callable[[float], None]
right_time = time.time


@pytest.fixture
def off_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shift]:
    """Move this host's clock; the database's, the sandbox's and the customers' stay right."""

    def shift(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: right_time() + seconds)

    yield shift
    monkeypatch.undo()
    clock._Reading.database_seconds = None


@pytest.mark.parametrize("seconds", [600, -600])
async def test_sessions_and_codes_hold_over_hosts_that_disagree(
    hana: Visitor, visitor: Visitor, portal: Portal, off_by: Shift, seconds: float
) -> None:
    elsewhere = {"access": hana.cookie("access"), "refresh": hana.cookie("refresh")}
    off_by(seconds)
    await read_clock(portal.database)
    assert abs(clock.host_ahead_seconds() - seconds) < 60
    # Issued by a host with the right clock; set again, because the test's browser uses the clock of this host.
    hana.set_cookie("access", elsewhere["access"])
    assert (await hana.get("/api/me")).status_code == 200
    assert (await hana.call("POST", "/api/auth/refresh")).status_code == 200
    own = hana.cookie("access")
    # Its answer was lost: within the grace time, though the clocks are ten minutes apart.
    hana.set_cookie("refresh", elsewhere["refresh"])
    assert (await hana.call("POST", "/api/auth/refresh")).status_code == 200
    key = (await hana.call("POST", "/api/me/two-step")).json()["key"]
    app = pyotp.TOTP(key)
    shown = app.generate_otp(int(right_time()) // STEP_SECONDS)
    assert (await hana.call("POST", "/api/me/two-step/confirm", {"code": shown})).status_code == 200
    stale = app.generate_otp(int(right_time()) // STEP_SECONDS - 8)
    await visitor.call("POST", "/api/auth/login", {"email": hana.email, "password": PASSWORD})
    assert (await visitor.call("POST", "/api/auth/second-step", {"code": stale})).status_code == 422
    off_by(0)
    await read_clock(portal.database)
    hana.set_cookie("access", own)
    assert (await hana.get("/api/me")).status_code == 200


@pytest.mark.parametrize("seconds", [600, -600])
@pytest.mark.parametrize("which", ["the host", "the database"])
async def test_webhooks_are_taken_whichever_clock_is_off(
    visitor: Visitor, portal: Portal, off_by: Shift, seconds: float, which: str
) -> None:
    off_by(seconds if which == "the host" else 0)
    await read_clock(portal.database)
    if which == "the database":
        clock.set_clock(right_time() + seconds, counter=clock.counter_seconds())
    # The sender's clock is right; how old a delivery is said to be counts from this host's.
    lead = clock.time.time() - right_time()
    ages = {age: (await deliver(visitor, uuid4().hex, age=age + lead)).status_code for age in (0, 240, -240)}
    assert ages == {0: 202, 240: 202, -240: 202}
    outside = 360 if seconds > 0 else -360
    assert (await deliver(visitor, uuid4().hex, age=outside + lead)).status_code == 401


@pytest.mark.parametrize("seconds", [600, -600])
async def test_salesforce_lets_us_in_although_its_clock_and_the_hosts_differ(
    portal: Portal, off_by: Shift, seconds: float
) -> None:
    off_by(seconds)
    await read_clock(portal.database)
    login = portal.vendors.crm._client._login
    assert (await login._log_in()).token
