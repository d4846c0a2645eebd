"""What a customer's browser sees: single sign-on, cards and payment (WHMCS fact sheet 2.2, 2.8)."""

import re

import pytest

CARDS = "index.php/account/paymentmethods"
BACK = "http://localhost:3000/checkout/vpn?step=2"


def form_token(html: str) -> str:
    """Return the hidden token of a page's forms."""
    return re.search(r'name="token" value="(\w+)"', html)[1]


async def test_token_works_once(whmcs):
    token = await whmcs.call("CreateSsoToken", client_id=2)

    first = await whmcs.browser.get(token["redirect_url"])
    second = await whmcs.browser.get(token["redirect_url"])

    assert re.fullmatch("[0-9a-f]{40}", token["access_token"])
    assert (first.status_code, first.headers["location"]) == (303, "/whmcs/clientarea.php")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert second.status_code == 403


async def test_token_dies_after_a_minute(whmcs):
    token = await whmcs.call("CreateSsoToken", client_id=2)

    await whmcs.browser.post(f"{whmcs.office}/api/clock", json={"seconds": 61})

    assert (await whmcs.browser.get(token["redirect_url"])).status_code == 403


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "A valid client_id or user_id is required"),
        ({"client_id": 99999}, "Invalid client_id"),
        ({"user_id": 99999}, "Invalid user_id"),
        ({"client_id": 2, "user_id": 1}, "Invalid user_id for client"),
        ({"client_id": 2, "destination": "clientarea:moon"}, "Invalid destination"),
    ],
)
async def test_a_token_without_a_client_or_destination_is_refused(whmcs, fields, message):
    assert await whmcs.error("CreateSsoToken", **fields) == message


@pytest.mark.parametrize("path", ["", "//evil.example", "/x", "https://evil.example", "javascript:alert(1)", "../x"])
async def test_redirect_may_not_leave_the_installation(whmcs, path):
    fields = {"client_id": 2, "destination": "sso:custom_redirect", "sso_redirect_path": path}

    assert await whmcs.error("CreateSsoToken", **fields) == "Invalid destination"


async def test_pages_need_a_session(whmcs):
    for page in ("clientarea.php", CARDS, "viewinvoice.php?id=2", "dl.php?type=i&id=2"):
        assert (await whmcs.browser.get(f"{whmcs.site}/{page}")).status_code == 403


async def test_card_is_added_and_the_return_link_leads_to_the_portal(whmcs):
    client = await whmcs.new_client()
    page = await whmcs.sign_on(client, f"{CARDS}?return={BACK.replace('?', '%3F').replace('=', '%3D')}")

    form = {"token": form_token(page.text), "number": "4242 4242 4242 4242", "expiry": "12/35"}
    saved = await whmcs.browser.post(page.url, data=form, follow_redirects=True)

    assert "ending in 4242" in saved.text
    assert f'href="{BACK}"' in saved.text
    listed = await whmcs.call("GetPayMethods", clientid=client)
    assert listed["paymethods"][0]["expiry_date"] == "12/35"


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "http://localhost:3000.evil.example/", "http://localhost:30001/"]
)
async def test_return_link_to_another_host_is_not_followed(whmcs, back):
    page = await whmcs.sign_on(2, f"{CARDS}?return={back}")

    assert back not in re.findall('href="(.*?)"', page.text)
    assert 'href="http://localhost:3000"' in page.text


async def test_wrong_card_shows_an_error_beside_the_form(whmcs):
    page = await whmcs.sign_on(await whmcs.new_client(), CARDS)

    form = {"token": form_token(page.text), "number": "4242 4242 4242 4241", "expiry": "12/35"}
    refused = await whmcs.browser.post(page.url, data=form)

    assert refused.status_code == 422
    assert "card number is not valid" in refused.text


async def test_post_without_the_forms_token_is_refused(whmcs):
    page = await whmcs.sign_on(2, "viewinvoice.php?id=2")

    assert (await whmcs.browser.post(page.url, data={})).status_code == 403
    assert (await whmcs.call("GetInvoice", invoiceid=2))["status"] == "Unpaid"


async def test_invoice_of_somebody_else_is_not_found(whmcs):
    assert (await whmcs.sign_on(1, "viewinvoice.php?id=2")).status_code == 404
    assert (await whmcs.sign_on(1, "dl.php?type=i&id=2")).status_code == 404


async def test_failed_payment_charges_nothing(whmcs):
    client = await whmcs.new_client()
    fields = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4000000000000341"}
    await whmcs.call("AddPayMethod", clientid=client, card_expiry="1235", **fields)
    invoice = (await whmcs.new_order(client))["invoiceid"]
    page = await whmcs.sign_on(client, f"viewinvoice.php?id={invoice}")

    answer = await whmcs.browser.post(page.url, data={"token": form_token(page.text)}, follow_redirects=True)

    assert "payment attempt failed" in answer.text
    assert (await whmcs.call("GetInvoice", invoiceid=invoice))["status"] == "Unpaid"


async def test_invoice_downloads_as_pdf(whmcs):
    answer = await whmcs.sign_on(2, "dl.php?type=i&id=1")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


async def test_paying_in_the_browser_sends_a_signed_webhook(whmcs, receiver):
    client = await whmcs.new_client()
    fields = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
    await whmcs.call("AddPayMethod", clientid=client, card_expiry="1235", **fields)
    invoice = (await whmcs.new_order(client))["invoiceid"]
    page = await whmcs.sign_on(client, f"viewinvoice.php?id={invoice}&return=http://localhost:3000/billing/invoices/1")

    paid = await whmcs.browser.post(page.url, data={"token": form_token(page.text)}, follow_redirects=True)

    assert "Your payment was successful" in paid.text
    assert 'href="http://localhost:3000/billing/invoices/1"' in paid.text
    assert (await whmcs.call("GetInvoice", invoiceid=invoice))["status"] == "Paid"
    assert await receiver.wait_for("InvoicePaid", invoice_id=int(invoice))
