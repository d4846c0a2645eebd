"""Ids: checked before use, and a guess reveals nothing."""

from uuid import UUID

import pytest

from portal_app.domain.errors import NotFound
from portal_app.domain.identifiers import (
    customer_number,
    is_customer_number,
    our_id,
    salesforce_id,
    step_reference,
    vendor_number,
)


# The checksum is three groups of five, a bit per capital letter, as the Salesforce guide describes it.
@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("000000000000000", "000000000000000AAA"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
        ("00Dxx0000000001", "00Dxx0000000001EAA"),
    ],
)
def test_a_short_salesforce_id_gets_its_checksum(short: str, full: str) -> None:
    assert salesforce_id(short) == full
    assert salesforce_id(full) == full


@pytest.mark.parametrize(
    "text",
    [
        "001A0000006Vm9rIAD",
        "001a0000006Vm9rIAC",
        "001A0000006Vm9",
        "001A0000006Vm9r\n",
        "001A0000006Vm9' OR",
        "００１A0000006Vm9r",
        "",
    ],
)
def test_a_mistyped_or_hostile_salesforce_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a Salesforce id"):
        salesforce_id(text)


@pytest.mark.parametrize("text", ["", "1", "../etc", "x" * 36, "00000000-0000-0000-0000-00000000000g", None, 7])
def test_a_malformed_id_of_ours_is_simply_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        our_id(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1 ", "٣", "１２", str(2**31), "9" * 12, "1;DROP", "NaN"])
def test_a_malformed_vendor_number_is_simply_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        vendor_number(text)


def test_customer_numbers_have_one_form() -> None:
    assert customer_number(42) == "C00000042"
    assert is_customer_number("C00000042")
    assert not any(is_customer_number(text) for text in ("c00000042", "C0000042", "C00000042\n", "C٠٠٠٠٠٠٤٢"))


def test_a_reference_names_order_step_and_attempt() -> None:
    order = UUID(int=1)
    assert step_reference(order, "whmcs", 2) == "00000000-0000-0000-0000-000000000001:whmcs:2"
    assert vendor_number(17) == 17
    assert vendor_number("2147483647") == 2**31 - 1
