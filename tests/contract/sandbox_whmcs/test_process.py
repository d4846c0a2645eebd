"""The sandbox as a process: stops politely, loses nothing when killed, starts over on request."""

import signal
import subprocess
import sys

from tests.support.waiting import LONGEST_SECONDS


async def test_killed_sandbox_comes_back_with_all_it_knew(own, own_whmcs):
    client = await own_whmcs.new_client()

    own.stop(signal.SIGKILL)
    own.start()

    assert (await own_whmcs.call("GetClientsDetails", clientid=client))["client"]["firstname"] == "Hana"
    assert (await own_whmcs.call("GetClients", search="ben@example.jp"))["totalresults"] == 1
    assert own.settings() == own_whmcs.settings


async def test_reset_puts_the_demo_world_back(own, own_whmcs):
    await own_whmcs.new_client()
    count = (await own_whmcs.call("GetClients"))["totalresults"]

    unconfirmed = await own_whmcs.browser.post(f"{own_whmcs.office}/world/reset", data={})
    before = (await own_whmcs.call("GetClients"))["totalresults"]
    await own_whmcs.browser.post(f"{own_whmcs.office}/world/reset", data={"confirmed": "yes"})

    assert "unconfirmed" in unconfirmed.headers["location"]
    assert (before, (await own_whmcs.call("GetClients"))["totalresults"]) == (count, 4)
    assert own.settings() == own_whmcs.settings


async def test_sigterm_stops_it(own):
    assert own.stop() == 0


def test_a_taken_port_is_reported_in_one_line(process, tmp_path):
    command = [sys.executable, "-m", "sandbox.main", "serve"]
    variables = process.variables | {"SANDBOX_HOME": str(tmp_path)}

    second = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=LONGEST_SECONDS)

    assert second.returncode == 1
    assert second.stderr.startswith("The sandbox cannot start:") and second.stderr.count("\n") == 1
