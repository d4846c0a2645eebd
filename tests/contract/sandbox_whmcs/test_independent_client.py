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
  const answers = {}
  answers.details = await clients.getClientsDetails({ clientid: 2, stats: true })
  answers.nobody = await clients.getClientsDetails({ clientid: 99999 })
  answers.invoices = await billing.getInvoices({ userid: 2 })
  answers.invoice = await billing.getInvoice({ invoiceid: answers.invoices.invoices.invoice[0].id })
  answers.products = await orders.getProducts({ pid: 33 })
  answers.ordered = await orders.addOrder({ clientid: own.newcomer, paymentmethod: 'stripe', 'pid[0]': 33 })
  answers.accepted = await orders.acceptOrder({ orderid: answers.ordered.orderid, autosetup: true })
  answers.currencies = await system.getCurrencies({})
  answers.wrong = await new whmcs.Clients({ ...config, secret: 'wrong' }).getClients({})
  console.log(JSON.stringify(answers))
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

    answers = json.loads(out)
    assert (
        answers["details"]["client"]["email"] == "ben@example.jp"
        and answers["details"]["stats"]["numoverdueinvoices"] == 1
    )
    assert answers["nobody"] == {"result": "error", "message": "Client Not Found"}
    assert answers["invoice"]["invoiceid"] == answers["invoices"]["invoices"]["invoice"][0]["id"]
    assert answers["products"]["products"]["product"][0]["pricing"]["JPY"]["monthly"] == "2500.00"
    assert (answers["ordered"]["result"], answers["accepted"]) == ("success", {"result": "success"})
    assert answers["currencies"]["currencies"]["currency"][0]["code"] == "JPY"
    assert answers["wrong"]["message"] == "Invalid or missing credentials"
