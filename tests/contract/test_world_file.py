"""A described world: what a good file gives, and how a bad one is refused."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.switches import SWITCHES
from sandbox.world_file import DEFAULT_WORLD, BadWorld, read_world
from tests.support.running.world import running_sandbox

ITEM = '[[catalogue]]\nsku = "VPN-A"\nwhmcs_product_id = 7\nprice = 100\nname = "VPN A"\ncategory = "VPN"\n'
HANA = '[[customers]]\nnumber = "C9"\nfirst_name = "Hana"\nlast_name = "Sato"\nemail = "hana@example.jp"\n'


def written(folder: Path, text: str, name: str = "world.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[catalogue]\n", "line 1"),
        (ITEM + "colour = 3\n", "catalogue[0].colour"),
        (ITEM.replace("100", "-1"), "catalogue[0].price"),
        (ITEM + ITEM, "catalogue[1].sku: 'VPN-A' stands here for the second time"),
        (HANA + '[[customers.services]]\nsku = "VPN-B"\n', "customers[0].services[0].sku: 'VPN-B' is not in the"),
        (HANA + "[[customers.orders]]\nskus = []\n", "customers[0].orders[0].skus"),
        (ITEM + HANA + '[[customers.services]]\nsku = "VPN-A"\nstarted = "soon"\n', "services[0].started"),
        (HANA.replace("@", " at "), "customers[0].email: 'hana at example.jp' has the wrong form"),
        ('[[members]]\nfirst_name="a"\nlast_name="b"\nemail="a@b.jp"\ncustomer="C1"\n', "members[0].customer"),
    ],
)
def test_bad_file_is_refused_with_its_line_or_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadWorld) as refused:
        read_world(written(tmp_path, text))

    assert message in str(refused.value)


def test_json_file_is_refused_by_its_line_too(tmp_path: Path) -> None:
    with pytest.raises(BadWorld, match="line 2"):
        read_world(written(tmp_path, '{\n"catalogue": [,]}', "world.json"))


def test_process_says_what_is_wrong_and_listens_nowhere(tmp_path: Path) -> None:
    unknown_field = ITEM + "[catalogue.salesforce]\nNo_Such_Field__c = 1\n"
    path = written(tmp_path, unknown_field)
    command = [sys.executable, "-m", "sandbox.main", "--world", str(path)]
    ports = {f"SANDBOX_{name}_PORT": "0" for name in ("HTTP", "HTTPS", "PUBSUB", "SMTP")}

    done = subprocess.run(
        command, env={**os.environ, **ports, "SANDBOX_HOME": str(tmp_path / "home")}, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip

    assert done.returncode == 1
    assert "catalogue[0] (VPN-A)" in done.stderr and "No_Such_Field__c" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "home" / "running.json").exists()


def test_described_world_stands_in_every_vendor(tmp_path: Path) -> None:
    service = '[[customers.services]]\nsku = "VPN-A"\nstarted = "40 days ago"\ninvoices = ["Paid", "Unpaid"]\n'
    order = '[[customers.orders]]\nskus = ["VPN-A"]\n'
    world = written(tmp_path, ITEM + HANA + service + order)

    with running_sandbox(tmp_path / "home", SANDBOX_WORLD=str(world)) as env:
        office = env["sandbox_office_url"]
        orders = httpx.get(f"{office}/api/orders").json()
        invoices = httpx.get(f"{office}/api/whmcs/invoices").json()
        faults = httpx.get(env["sandbox_faults_url"]).json()
        switches = httpx.get(env["sandbox_switches_url"]).json()
        moved = httpx.post(env["sandbox_clock_url"], json={"to": "2030-01-01T00:00:00+09:00"}).json()
        refused = {
            message: httpx.post(f"{env['sandbox_faults_url']}/{vendor}", json=faults)
            for vendor, faults, message in (
                ("pubsub", {"special": {"nonsense": 1}}, "nonsense"),
                ("whmcs", {"dwon": True}, "dwon: no such field"),
                ("whmcs", {"slow": "a bit"}, "slow: Input should be a valid number"),
                ("freebie", {}, "not found"),
            )
        }

    assert sorted(each["status"] for each in orders) == ["Pending Review", "Processed"]
    assert sorted(each["status"] for each in invoices) == ["Paid", "Unpaid"]
    assert faults.keys() == switches.keys() == SWITCHES.keys()
    assert moved["now"].startswith("2029-12-31T15:00:0")
    assert [message for message, answer in refused.items() if message not in answer.json()["error"]] == []
    assert [answer.status_code for answer in refused.values()] == [422, 422, 422, 404]
    assert Path(env["sandbox_ca_file"]).is_file() and Path(env["sf_private_key_file"]).is_file()


def test_every_switch_stands_in_the_guide_and_is_used_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    guide = (tests.parent / "docs" / "integrations" / "sandbox.md").read_text()
    own = Path(__file__).name
    used = "".join(path.read_text() for path in tests.rglob("*.py") if path.name != own)
    named = [name for board in SWITCHES.values() for name in board]

    assert [name for name in named if f"`{name}`" not in guide] == []
    assert [name for name in named if f'"{name.rstrip("*")}' not in used] == []
    assert read_world(DEFAULT_WORLD).customers
