"""The sandbox as a process: stops politely, loses nothing when killed, starts over on request."""

import signal
import subprocess
import sys

import httpx

from tests.support.running.world import running_sandbox
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
    assert (before, (await own_whmcs.call("GetClients"))["totalresults"]) == (count, 5)
    assert own.settings() == own_whmcs.settings


async def test_sigterm_stops_it(own):
    assert own.stop() == 0


def test_a_taken_port_is_reported_in_one_line(process, tmp_path):
    command = [sys.executable, "-m", "sandbox.main", "serve"]
    variables = process.variables | {"SANDBOX_HOME": str(tmp_path)}

    second = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=LONGEST_SECONDS)

    assert second.returncode == 1
    assert second.stderr.startswith("The sandbox cannot start:") and second.stderr.count("\n") == 1


def test_described_world_has_other_cycles_products_without_a_module_and_clients_without_single_sign_on(tmp_path):
    cycles = ("Annually", "Semi-Annually", "Onetime", "Free")
    world = (
        '[[customers]]\nnumber = "C9"\nfirst_name = "H"\nlast_name = "S"\nemail = "h@s.jp"\nsingle_sign_on = false\n'
    )
    for pid, cycle in enumerate(cycles, 7):
        item = f'sku = "{cycle}"\nwhmcs_product_id = {pid}\nprice = 1000\nname = "N"\ncategory = "VPN"\n'
        service = f'sku = "{cycle}"\nstarted = 2025-11-01\ninvoices = ["Paid"]\n'
        world += f'[[customers.services]]\n{service}[[catalogue]]\n{item}cycle = "{cycle}"\nmodule = false\n'
    path = tmp_path / "world.toml"
    path.write_text(world)

    with running_sandbox(tmp_path / "home", SANDBOX_WORLD=str(path)) as env, httpx.Client(trust_env=False) as browser:
        keys = {"identifier": env["whmcs_api_identifier"], "secret": env["whmcs_api_secret"], "responsetype": "json"}
        shown = {
            action: browser.post(env["whmcs_api_url"], data={**keys, "action": action, "clientid": 1}).json()
            for action in ("GetClientsProducts", "GetProducts", "GetClientsDetails")
        }

    services, products = (shown[name]["products"]["product"] for name in ("GetClientsProducts", "GetProducts"))
    assert [(row["billingcycle"], row["recurringamount"], row["nextduedate"]) for row in services] == [
        ("Annually", "1000.00", "2026-11-01"),
        ("Semi-Annually", "1000.00", "2026-05-01"),
        ("One Time", "0.00", "2025-11-01"),
        ("Free Account", "0.00", "2025-11-01"),
    ]
    assert [row["paytype"] for row in products] == ["recurring", "recurring", "onetime", "free"]
    assert (products[0]["pricing"]["JPY"]["annually"], products[0]["pricing"]["JPY"]["monthly"]) == ("1000.00", "-1.00")
    assert {row["module"] for row in products} == {""}
    assert shown["GetClientsDetails"]["client"]["allowSingleSignOn"] == 0
