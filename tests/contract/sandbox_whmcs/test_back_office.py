"""The mail sink and the back office, as pages and as JSON."""

import re
import ssl
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest


async def send(printed, to: str, text: str = "Your code is 123456.") -> None:
    """Send one message to the sink."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.jp", to, "確認コード"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    await aiosmtplib.send(message, hostname=printed["SMTP_HOST"], port=int(printed["SMTP_PORT"]), start_tls=False)


async def test_mail_is_kept_and_found_by_recipient(whmcs, printed):
    await send(printed, "hana@example.jp")
    await send(printed, "other@example.jp")

    [found] = (await whmcs.browser.get(f"{whmcs.office}/api/mail", params={"to": "Hana@example.jp"})).json()

    assert (found["from"], found["to"], found["subject"]) == ("portal@example.jp", ["hana@example.jp"], "確認コード")
    assert found["text"].strip() == "Your code is 123456."
    assert ["To", "hana@example.jp"] in found["headers"]
    assert "<p>" in found["html"]


async def test_inbox_shows_the_code_plainly(whmcs, printed):
    await send(printed, "code@example.jp", "Your code is 654321.")

    page = await whmcs.browser.get(f"{whmcs.office}/mail", params={"to": "code@example.jp"})

    assert re.search(r'class="code"[^>]*>654321<', page.text)


async def test_mail_server_that_is_down_refuses_the_connection(whmcs, printed, set_faults):
    await set_faults("mail", down=True)

    with pytest.raises(aiosmtplib.SMTPException):
        await send(printed, "lost@example.jp")


async def test_pages_are_served(whmcs):
    for page in ("orders", "invoices", "support", "mail", "vendors", "world"):
        assert (await whmcs.browser.get(f"{whmcs.office}/{page}")).status_code == 200
    assert (await whmcs.browser.get(whmcs.office.removesuffix("/office"))).headers["location"] == "/office"


async def test_orders_show_customer_and_lines(whmcs):
    order = (await whmcs.browser.get(f"{whmcs.office}/api/orders")).json()[-1]

    assert (order["customer"], order["customer_number"]) == ("Ben Carter", "C00000002")
    assert (order["status"], order["activation_status"], order["total"]) == ("Processed", "Activated", 2500)
    assert order["lines"][0]["sku"] == "VPN-REMOTE-ACCESS-USA-SF"


async def test_processed_order_can_be_neither_approved_nor_rejected(whmcs):
    order = (await whmcs.browser.get(f"{whmcs.office}/api/orders")).json()[-1]["id"]

    for action in ("approve", "reject"):
        assert (await whmcs.browser.post(f"{whmcs.office}/api/orders/{order}/{action}")).status_code == 409


@pytest.mark.parametrize(
    "path", ["orders/801000000000000AAA/approve", "invoices/99999/pay", "faults/moon", "invoices/1/eat"]
)
async def test_an_unknown_record_is_not_found(whmcs, path):
    assert (await whmcs.browser.post(f"{whmcs.office}/api/{path}", json={})).status_code == 404


async def test_malformed_fault_settings_are_refused(whmcs):
    answer = await whmcs.browser.post(f"{whmcs.office}/api/faults/whmcs", json={"grumpy": True})

    assert answer.status_code == 422


async def test_cashier_pays_an_invoice_once(whmcs):
    invoice = (await whmcs.new_order(await whmcs.new_client()))["invoiceid"]

    first = await whmcs.browser.post(f"{whmcs.office}/api/invoices/{invoice}/pay")
    second = await whmcs.browser.post(f"{whmcs.office}/api/invoices/{invoice}/pay")

    assert (first.json()["status"], second.status_code) == ("Paid", 409)


async def test_calls_are_counted_by_their_operation(whmcs):
    async def count():
        return (await whmcs.browser.get(f"{whmcs.office}/api/calls")).json()["whmcs"].get("AddClient", 0)

    before = await count()
    await whmcs.new_client()

    assert await count() == before + 1


async def test_vendor_buttons_set_faults(whmcs, set_faults):
    await whmcs.browser.post(f"{whmcs.office}/vendors/whmcs", data={"preset": "slow"})

    assert (await whmcs.browser.get(f"{whmcs.office}/api/faults")).json()["whmcs"]["slow"] == 3.0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
    ],
)
async def test_other_sites_are_kept_out(whmcs, headers):
    answer = await whmcs.browser.post(f"{whmcs.office}/api/clock", json={"seconds": 1}, headers=headers)

    assert answer.status_code == 403


async def test_https_is_served_with_the_printed_authority(whmcs, printed):
    address = printed["SF_LOGIN_URL"] + "/office/api/clock"

    trust = ssl.create_default_context(cafile=printed["SF_CA_FILE"])
    async with httpx.AsyncClient(verify=trust, trust_env=False) as browser:
        assert (await browser.get(address)).status_code == 200
