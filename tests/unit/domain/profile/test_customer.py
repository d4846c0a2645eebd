"""Who a customer is: names, readings, phones and e-mail addresses as people really type them."""

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.customer import Profile, parse_email, parse_kana, parse_phone
from tests.support.values.people import ADDRESS, PERSON


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("090-1234-5678", "09012345678"),
        ("０９０－１２３４－５６７８", "09012345678"),
        ("+81 90-1234-5678", "09012345678"),
        ("+81-090-1234-5678", "09012345678"),
        ("060-1234-5678", "06012345678"),
        ("090ー1234ー5678", "09012345678"),
        ("03-1234-5678", "0312345678"),
    ],
)
def test_a_japanese_phone_number_is_kept_as_digits(typed: str, kept: str) -> None:
    assert parse_phone(typed) == kept


@pytest.mark.parametrize("typed", ["", "110", "+1 212 555 0100", "090-1234-567", "090\x0012345678", "9" * 300, "phone"])
def test_a_phone_number_that_is_not_japanese_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="Enter a Japanese phone number"):
        parse_phone(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("タナカ", "タナカ"),
        ("ﾀﾅｶ", "タナカ"),
        ("たなか", "タナカ"),
        ("ｶﾞｯｷ", "ガッキ"),
        ("ゔぁん", "ヴァン"),
        ("ヶ", "ヶ"),
        ("みすゞ", "ミスヾ"),
        ("いすゝ", "イスヽ"),
        ("エミリ－", "エミリー"),
        ("ｴﾐﾘ-", "エミリー"),
        ("エミリ―", "エミリー"),
        ("", ""),
    ],
)
def test_a_reading_becomes_full_width_katakana(typed: str, kept: str) -> None:
    assert parse_kana(typed) == kept


@pytest.mark.parametrize("typed", ["Tanaka", "田中", "タナカ1", "タ\x00ナカ", "ア" * 41])
def test_a_malformed_reading_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="Use"):
        parse_kana(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Taro.Tanaka+x@EXAMPLE.JP ", "Taro.Tanaka+x@example.jp"),
        ("ｔａｒｏ＠example.jp", "taro@example.jp"),
        ("a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"),
        # Look-alikes of a letter are made plain before anybody is looked up or written to.
        ("ſaro@example.jp", "saro@example.jp"),
    ],
)
def test_an_email_address_is_normalised(typed: str, kept: str) -> None:
    assert parse_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "taro",
        "a@b",
        "a@b..jp",
        "a@-b.jp",
        "a@b.jp\r\nBcc: x@y.jp",
        "a@b.jp,c@d.jp",
        "x:victim@example.jp",
        "victim(x)@example.jp",
        "<victim@example.jp>",
        "таро@example.jp",
        "a\x7f@b.jp",
        "a@b.jp\x00",
        "\ud800@b.jp",
        "a" * 65 + "@b.jp",
        "a@" + "b." * 130 + "jp",
    ],
)
def test_an_address_that_could_reach_somebody_else_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_email(typed)
    assert set(caught.value.fields) == {"email"}


def test_a_name_may_be_latin_or_japanese_with_a_middle_name() -> None:
    profile = Profile.parse("a@b.jp", {**ADDRESS, **PERSON, "first_name": " Anna  Maria ", "last_name": "髙橋"})
    assert profile.full_name == "Anna Maria 髙橋"


@pytest.mark.parametrize("name", ["", "\x00", "a" * 41, "<b>", "a\u202eb", "\ud800"])
def test_a_name_that_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Profile.parse("a@b.jp", {**ADDRESS, **PERSON, "first_name": name})
    assert set(caught.value.fields) == {"first_name"}


def test_all_errors_of_a_form_are_reported_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Profile.parse("a@b.jp", {"phone": "1", "first_name_kana": "x", "postcode": "1"})
    assert {"first_name", "last_name", "phone", "first_name_kana", "postcode", "city"} <= set(caught.value.fields)


@pytest.mark.parametrize("name", ["\ufa19田", "\ufa10", "\U0002f81a"])
def test_a_name_keeps_the_ideographs_its_owner_writes(name: str) -> None:
    profile = Profile.parse("a@example.jp", {**PERSON, **ADDRESS, "last_name": name, "building": f"{name}ビル"})
    assert (profile.last_name, profile.address.building) == (name, f"{name}ビル")


def test_a_kana_and_its_voicing_mark_become_one_character() -> None:
    profile = Profile.parse("a@example.jp", {**PERSON, **ADDRESS, "last_name": "か\u3099ーる"})
    assert profile.last_name == "がーる"


def test_a_stored_profile_is_read_back_as_it_was() -> None:
    profile = Profile.parse("a@example.jp", {**PERSON, **ADDRESS})
    assert Profile.from_json(profile.to_json()) == profile
