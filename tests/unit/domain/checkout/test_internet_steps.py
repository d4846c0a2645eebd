"""Questions of a fibre order, exclusions, and instalments that add up to the yen."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_app.domain.catalog.plan import monthly_of, one_time_of, plans_of
from portal_app.domain.checkout.installation import installation_choices, split, unequal_instalments
from portal_app.domain.checkout.options import InternetOptions, extras_of
from portal_app.domain.checkout.steps import Rules, first_open_step, options_of, read_answer, steps_of
from portal_app.domain.errors import InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.orders.steps import target_of
from tests.support.vendors.fibre_catalog import ANSWERS, CONFIRMED, CONNECTION, INSTALLS, PHONE, catalogue, plan

RULES = Rules(date(2026, 11, 28), address_id=CONFIRMED["address_id"], is_offered=True)


def wrong_fields(answers: dict, rules: Rules = RULES) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        options_of(plan(), answers, rules)
    return set(caught.value.fields)


def test_good_answers_become_what_is_ordered() -> None:
    own = plan()
    options = options_of(own, ANSWERS, RULES)
    assert options == InternetOptions("Home 1G", "Gold", "ipoe_home_gateway", "12m", True, True, "F1234567890")
    items = own.with_extras(extras_of(options))
    assert {item.sku for item in items} == {
        "INTERNET-GOLD", "INTERNET-INSTALL-12M", "INTERNET-INSTALL-WEEKEND", "INTERNET-ADDON-HIKARI-DENWA",
        "INTERNET-ADDON-HIKARI-DENWA-INSTALL",
    }  # fmt: skip
    assert (monthly_of(items), one_time_of(items)) == (Money(5800 + 1900 + 450), Money(3000 + 1000))


@pytest.mark.parametrize(
    ("step", "changes", "wrong"),
    [
        ("address", {"confirmed": ""}, "confirmed"),
        ("address", {"address_id": "0123456789abcdef"}, "confirmed"),
        ("connection", {"access_mode": "dial-up"}, "access_mode"),
        ("connection", {"installation": "36m"}, "installation"),
        ("connection", {"access_mode": "pppoe"}, "home_phone"),
        ("connection", {"access_mode": "ipoe_own_router"}, "home_phone"),
        ("phone", {"line": ""}, "line"),
        *(
            ("phone", {"switch_number": number}, "switch_number")
            for number in ("", "1234567890", "X1234567890", "F123456789", "F12345678901", "Ｆ１２３４５６７８９")
        ),
    ],
)
def test_each_wrong_answer_is_named(step: str, changes: dict[str, str], wrong: str) -> None:
    assert wrong_fields(ANSWERS | {step: ANSWERS[step] | changes}) == {wrong}


def test_nothing_can_be_ordered_where_the_plan_is_not_offered() -> None:
    assert wrong_fields(ANSWERS, replace(RULES, is_offered=False)) == {"address"}
    assert first_open_step(plan(), ANSWERS, replace(RULES, is_offered=False)) == "address"


def test_a_full_width_switch_number_is_read_and_no_number_is_needed_for_a_new_line() -> None:
    assert read_answer("phone", {"line": "switch", "switch_number": "ｔ１２３４５６７８９０"}, RULES) == {
        "home_phone": False,
        "switch_number": "T1234567890",
    }
    assert read_answer("phone", {"line": "new", "switch_number": "junk"}, RULES)["switch_number"] == ""


def test_a_condition_says_at_which_addresses_a_plan_and_its_extras_can_be_had() -> None:
    own = plan()
    assert own.is_offered_with(["Home 10G", "Home 1G"]) and not own.is_offered_with(["Apartment 1G"])
    wider = replace(own, service=replace(own.service, conditions=("Home 10G", "Apartment 1G")))
    assert wider.is_offered_with(["Apartment 1G"]) and not wider.is_offered_with(["Home 1G"])
    # Mandatory items must be available too; a line without an offer type is available nowhere.
    along = (replace(own.extras[0], conditions=("Home 10G",)),)
    assert not replace(own, included=along).is_offered_with(["Home 1G"])
    assert not replace(own, service=replace(own.service, offering="")).is_offered_with(["Home 1G"])


@pytest.mark.parametrize("sku", ["INTERNET-ADDON-HIKARI-DENWA", "INTERNET-ADDON-HIKARI-DENWA-INSTALL"])
def test_an_extra_is_offered_only_where_it_can_be_had_with_all_it_requires(sku: str) -> None:
    items = [replace(each, conditions=("Apartment 1G",) if each.sku == sku else ()) for each in catalogue()]
    (own,) = plans_of(items, "internet")
    assert "INTERNET-ADDON-HIKARI-DENWA" not in {extra.sku for extra in own.with_offers(["Home 1G"]).extras}
    assert own.with_offers(["Apartment 1G"]).extras == own.extras
    with pytest.raises(InvalidInput):
        own.with_offers(["Home 1G"]).with_extras(["INTERNET-ADDON-HIKARI-DENWA"])


def test_an_answer_given_later_opens_the_step_it_contradicts() -> None:
    assert steps_of(plan()) == ("address", "connection", "phone")
    assert first_open_step(plan(), ANSWERS, RULES) is None
    changed = ANSWERS | {"connection": CONNECTION | {"access_mode": "pppoe"}}
    assert first_open_step(plan(), changed, RULES) == "phone"
    assert first_open_step(plan(), changed | {"phone": PHONE | {"home_phone": ""}}, RULES) is None


def test_a_fibre_order_may_wait_for_its_installation() -> None:
    others, fibre = (target_of("in_review", "in_review", category) for category in ("vpn", "internet"))
    assert others and fibre and fibre > others * 7
    assert target_of("being_set_up", "approved", "internet") == target_of("being_set_up", "approved", "vpn")


@pytest.mark.parametrize(
    "skus",
    [
        (),
        INSTALLS[:2],
        (INSTALLS[0], "INTERNET-ADDON-HIKARI-DENWA-INSTALL"),
        (INSTALLS[0], "INTERNET-LEFTOVER"),
        (INSTALLS[0], "SIM-ADDON-VOICE-MAIL"),
    ],
)
def test_combinations_that_are_not_sold_are_refused(skus: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        plan().with_extras(skus)


@given(total=st.integers(0, 10_000_000), count=st.sampled_from([1, 12, 24]))
def test_any_amount_splits_into_payments_that_add_up(total: int, count: int) -> None:
    first, each = split(Money(total), count)
    assert first + Money.total([each] * (count - 1)) == Money(total)
    assert Money(0) <= each <= first < each + Money(count)


@given(total=st.integers(100, 1_000_000), off=st.integers(1, 50))
def test_instalments_are_offered_only_if_they_add_up_to_the_single_payment(total: int, off: int) -> None:
    first, each = split(Money(total), 12)
    rest = (first - each).minor
    choices = {choice.key: choice for choice in installation_choices(plan(single=total, twelfth=each.minor, rest=rest))}
    assert choices["12m"].total == choices["single"].total == Money(total)
    wrong = plan(single=total, twelfth=each.minor, rest=rest + off)
    assert "12m" not in {choice.key for choice in installation_choices(wrong)}
    assert "INTERNET-INSTALL-12M" in unequal_instalments(wrong)


@given(
    prices=st.lists(st.integers(0, 100_000), min_size=3, max_size=3),
    installation=st.sampled_from(["single", "12m", "24m"]),
    weekend=st.booleans(),
)
def test_totals_are_the_sum_of_the_lines_and_taxed_once(prices: list[int], installation: str, weekend: bool) -> None:
    single = prices[0] * 12
    own = plan(single=single, twelfth=prices[0])
    options = InternetOptions("Home 1G", "Gold", "pppoe", installation, weekend)  # type: ignore[arg-type]
    items = own.with_extras(extras_of(options))
    monthly, once = monthly_of(items), one_time_of(items)
    assert monthly + once == Money.total(item.price for item in items)
    assert monthly.with_tax().minor == monthly.minor + monthly.minor * 10 // 100
    assert (monthly + once).with_tax().minor == (monthly + once).minor * 110 // 100
