"""An order in the back office, from a client that signs in with the printed settings."""

import ssl
import time
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

DATA = "/services/data/v62.0"


@pytest.fixture
def assertion(printed):
    """The portal's signed claim to be the integration user."""
    claims = {"iss": printed["SF_CLIENT_ID"], "sub": printed["SF_USERNAME"], "aud": printed["SF_AUDIENCE"]}
    key = RSAKey.import_key(Path(printed["SF_PRIVATE_KEY_FILE"]).read_text())
    return jwt.encode({"alg": "RS256"}, claims | {"exp": int(time.time()) + 120}, key)


@pytest.fixture
async def salesforce(printed, assertion):
    """An HTTP client signed in at Salesforce as the portal."""
    trust = ssl.create_default_context(cafile=printed["SF_CA_FILE"])
    async with httpx.AsyncClient(verify=trust, trust_env=False, base_url=printed["SF_LOGIN_URL"]) as client:
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        token = (await client.post("/services/oauth2/token", data=grant)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
async def order(salesforce, printed):
    """A VPN order of Aiko's under review."""
    book = printed["PORTAL_PRICEBOOK_ID"]
    account = (await salesforce.get(f"{DATA}/sobjects/Account/SF_Account_No__c/C00000001")).json()["Id"]
    query = f"SELECT Id, UnitPrice FROM PricebookEntry WHERE Pricebook2Id = '{book}' AND Product2.StockKeepingUnit = "
    plan = "'VPN-REMOTE-ACCESS-UK-LONDON'"
    entry = (await salesforce.get(f"{DATA}/query", params={"q": query + plan})).json()["records"][0]
    fields = {"AccountId": account, "EffectiveDate": "2026-01-05", "Status": "Pending Review", "Pricebook2Id": book}
    order = (await salesforce.post(f"{DATA}/sobjects/Order", json=fields | {"Order_Type__c": "VPN"})).json()["id"]
    line = {"OrderId": order, "PricebookEntryId": entry["Id"], "Quantity": 1, "UnitPrice": entry["UnitPrice"]}
    await salesforce.post(f"{DATA}/sobjects/OrderItem", json=line)
    return order


async def test_approved_order_is_activating_and_cannot_be_approved_again(whmcs, salesforce, order):
    listed = (await whmcs.browser.get(f"{whmcs.office}/api/orders")).json()[0]

    approved = await whmcs.browser.post(f"{whmcs.office}/api/orders/{order}/approve")
    again = await whmcs.browser.post(f"{whmcs.office}/api/orders/{order}/approve")

    assert (listed["id"], listed["customer"], listed["lines"][0]["unit_price"]) == (order, "Aiko Tanaka", 2500)
    assert (approved.json()["activation_status"], again.status_code) == ("Activating", 409)
    row = (await salesforce.get(f"{DATA}/sobjects/Order/{order}")).json()
    assert (row["Status"], row["Activation_Status__c"]) == ("Pending Review", "Activating")


async def test_order_is_rejected_by_the_button(whmcs, salesforce, order):
    answer = await whmcs.browser.post(f"{whmcs.office}/orders/{order}/reject")

    assert answer.headers["location"] == "/office/orders?note=rejected"
    assert (await salesforce.get(f"{DATA}/sobjects/Order/{order}")).json()["Status"] == "Rejected"


async def test_catalogues_agree_on_every_price(whmcs, salesforce, printed):
    query = "SELECT UnitPrice, Product2.WH_Product_ID__c, Product2.Name FROM PricebookEntry WHERE Pricebook2Id = "
    answer = await salesforce.get(f"{DATA}/query", params={"q": f"{query}'{printed['PORTAL_PRICEBOOK_ID']}'"})
    products = {row["pid"]: row for row in (await whmcs.call("GetProducts"))["products"]["product"]}

    for entry in answer.json()["records"]:
        product = products.pop(int(entry["Product2"]["WH_Product_ID__c"]))
        assert product["name"] == entry["Product2"]["Name"]
        assert float(product["pricing"]["JPY"]["monthly"]) == entry["UnitPrice"]
    assert products == {}
