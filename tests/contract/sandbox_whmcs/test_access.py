"""Who may call: addresses, access key, credentials and their roles (WHMCS fact sheet 1.2 to 1.4)."""

import pytest

from sandbox.whmcs.money import tax_on
from sandbox.whmcs.quirks import with_quirk
from tests.contract.sandbox_whmcs.conftest import Process, Whmcs

ADMIN = {"identifier": "sandbox-admin-identifier", "secret": "sandbox-admin-secret"}


async def test_access_key_lets_a_foreign_address_in_but_no_stranger(whmcs, set_faults):
    await set_faults("whmcs", special={"foreign_ip": -1})

    refused = await whmcs.post("GetClients", accesskey="guess")
    let_in = await whmcs.post("GetClients", accesskey="sandbox-access-key")
    stranger = await whmcs.post("GetClients", accesskey="sandbox-access-key", secret="wrong")

    assert (refused.status_code, refused.json()["message"]) == (403, "Invalid IP 203.0.113.9")
    assert let_in.json()["result"] == "success"
    assert (stranger.status_code, stranger.json()["message"]) == (403, "Invalid or missing credentials")


@pytest.fixture
async def strict(tmp_path, browser):
    """A sandbox that lists one address which nobody here has, and gives the portal's credential one action."""
    process = Process(tmp_path, "")
    process.variables |= {"SANDBOX_WHMCS_ADDRESSES": "127.0.0.2", "SANDBOX_WHMCS_ROLE": "getclients, WhmcsDetails"}
    process.start()
    yield Whmcs(browser, process.settings())
    process.stop()


async def test_unlisted_address_is_named_and_a_role_allows_only_its_actions(strict):
    key = {"accesskey": "sandbox-access-key"}

    unlisted = await strict.post("GetClients")
    allowed = await strict.post("GETCLIENTS", **key)
    forbidden = await strict.post("GetInvoices", **key)
    unknown = await strict.post("MakeCoffee", **key)
    admin = await strict.post("GetInvoices", **ADMIN, **key)

    assert (unlisted.status_code, unlisted.json()["message"]) == (403, "Invalid IP 127.0.0.1")
    assert allowed.json()["result"] == "success"
    assert forbidden.status_code == 403 and "\\u0022getinvoices\\u0022 is not allowed" in forbidden.text
    assert unknown.status_code == 403
    assert admin.json()["result"] == "success"


ANSWER = {
    "totalresults": "1",
    "credits": {"credit": [{"id": "1", "items": {"item": []}}]},
    "users": [{"id": 1}, {"id": 2}],
    "names": ["a"],
}


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("flattened_lists", {
            "totalresults": "1", "credits[credit][0][id]": "1", "credits[credit][0][items]": {"item": []},
            "users": [{"id": 1}, {"id": 2}], "names": ["a"],
        }),
        ("gappy_lists", ANSWER | {
            "credits": {"credit": {"1": {"id": "1", "items": {"item": []}}}}, "users": {"1": {"id": 1}, "3": {"id": 2}},
        }),
        ("single_rows", ANSWER | {"credits": {"credit": {"id": "1", "items": {"item": []}}}}),
        ("empty_texts", ANSWER | {"credits": {"credit": [{"id": "1", "items": {"item": ""}}]}}),
        ("missing_lists", ANSWER | {"credits": {"credit": [{"id": "1"}]}}),
        ("odd_rows", ANSWER | {
            "credits": {"credit": [{"id": "n/a", "items": {"item": []}}]}, "users": [{"id": "n/a"}, {"id": 2}],
        }),
        ("number_texts", ANSWER | {"users": [{"id": "1"}, {"id": "2"}]}),
        ("escaped_texts", ANSWER),
        ("translated_names", ANSWER),
    ],
)  # fmt: skip
def test_lists_are_disguised_as_other_versions_write_them(form, shown):
    assert with_quirk(ANSWER, form) == shown


def test_rows_are_odd_escaped_and_translated():
    row = {"id": "7", "total": "1.00", "name": "O'Hara & Co", "translated_name": "VPN"}
    answer = {"products": {"product": [row, row]}}
    shown = [with_quirk(answer, form)["products"]["product"] for form in ("odd_rows", "escaped_texts")]
    assert shown[0] == [row | {"total": "n/a"}, row]
    assert shown[1][0]["name"] == "O&#039;Hara &amp; Co"
    assert with_quirk(answer, "translated_names")["products"]["product"][1]["translated_name"] == "訳 7"


def test_tax_in_hundredths_is_rounded_and_tax_in_yen_floored():
    assert [tax_on(48885, "10.000", in_hundredths=exact) for exact in (True, False)] == [4889, 4800]
