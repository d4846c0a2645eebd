"""A WHMCS client that we did not write, unchanged, at the sandbox: the npm package whmcs-js."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from tests.support.foreign_programs import need

PACKAGE = "whmcs-js@2.0.1"
SCRIPT = """
const whmcs = require('whmcs-js')
const own = JSON.parse(process.argv[2])
const config = { serverUrl: own.url, identifier: own.identifier, secret: own.secret }
const [clients, billing, orders, system] =
  ['Clients', 'Billing', 'Orders', 'System'].map(name => new whmcs[name](config))
async function main () {
  const told = {}
  told.details = await clients.getClientsDetails({ clientid: 2, stats: true })
  told.nobody = await clients.getClientsDetails({ clientid: 99999 })
  told.invoices = await billing.getInvoices({ userid: 2 })
  told.invoice = await billing.getInvoice({ invoiceid: told.invoices.invoices.invoice[0].id })
  told.products = await orders.getProducts({ pid: 33 })
  told.ordered = await orders.addOrder({ clientid: own.newcomer, paymentmethod: 'stripe', 'pid[0]': 33 })
  told.accepted = await orders.acceptOrder({ orderid: told.ordered.orderid, autosetup: true })
  told.currencies = await system.getCurrencies({})
  told.wrong = await new whmcs.Clients({ ...config, secret: 'wrong' }).getClients({})
  console.log(JSON.stringify(told))
}
main().catch(error => { console.error(error); process.exit(1) })
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, fetched by npm; nothing of it is part of this project."""
    get = "install Node 20 with npm, and let it reach its registry"
    need("node", get=get)
    npm, place = need("npm", get=get), tmp_path_factory.mktemp("npm")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefer-offline", PACKAGE]
    done = subprocess.run([*map(str, command)], cwd=place, capture_output=True, timeout=60, check=False)
    need("npm", get=get, found=done.returncode == 0)
    (place / "ask.js").write_text(SCRIPT)
    return place


async def test_independent_client_reads_and_orders(whmcs, folder):
    keys = {"identifier": whmcs.settings["WHMCS_API_IDENTIFIER"], "secret": whmcs.settings["WHMCS_API_SECRET"]}
    own = {"url": whmcs.url, "newcomer": await whmcs.new_client(), **keys}

    node = await asyncio.create_subprocess_exec("node", "ask.js", json.dumps(own), cwd=folder, stdout=subprocess.PIPE)
    out, _ = await asyncio.wait_for(node.communicate(), 60)

    told = json.loads(out)
    assert (
        told["details"]["client"]["email"] == "ben@example.jp" and told["details"]["stats"]["numoverdueinvoices"] == 1
    )
    assert told["nobody"] == {"result": "error", "message": "Client Not Found"}
    assert told["invoice"]["invoiceid"] == told["invoices"]["invoices"]["invoice"][0]["id"]
    assert told["products"]["products"]["product"][0]["pricing"]["JPY"]["monthly"] == "2500.00"
    assert (told["ordered"]["result"], told["accepted"]) == ("success", {"result": "success"})
    assert told["currencies"]["currencies"]["currency"][0]["code"] == "JPY"
    assert told["wrong"]["message"] == "Invalid or missing credentials"
