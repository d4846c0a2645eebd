"""Addresses: input of Japanese keyboards is accepted, text that no vendor can store is refused."""

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.address import Address, parse_postcode, room_number
from portal_app.domain.profile.prefecture import PREFECTURES, ROMANISED
from tests.support.values.people import ADDRESS


def wrong_fields(**changes: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        Address.parse({**ADDRESS, **changes})
    return caught.value.fields


@pytest.mark.parametrize(
    "text", ["1060044", "106-0044", "１０６－００４４", "106ー0044", "106−0044", "106 0044", "〒106-0044", " 106‐0044 "]
)
def test_a_postcode_is_read_however_a_japanese_keyboard_writes_it(text: str) -> None:
    assert parse_postcode(text) == "106-0044"


@pytest.mark.parametrize("text", ["", "106-004", "10600444", "٣٣٣-٣٣٣٣", "106-0044\n1", "abc-defg", "106--0044"])
def test_a_malformed_postcode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a postcode"):
        parse_postcode(text)


def test_the_47_prefectures_stand_in_the_order_of_the_standard() -> None:
    assert len(set(PREFECTURES)) == 47
    assert (PREFECTURES[0], PREFECTURES[12], PREFECTURES[46]) == ("北海道", "東京都", "沖縄県")
    assert len(set(ROMANISED.values())) == 47


def test_a_complete_address_is_kept_in_both_scripts() -> None:
    address = Address.parse(ADDRESS)
    assert address.prefecture_romanised == "Tokyo"
    assert address.japanese_street() == "東麻布1-5-3 光ビル 101"
    assert address.romanised_lines() == ("1-5-3 Higashi-Azabu", "Hikari Bldg. 101")


@pytest.mark.parametrize(
    ("street", "line"),
    [
        ("1丁目5番3号", "1-5-3"),
        ("１丁目５番地３", "1-5-3"),
        ("1ー5ー3", "1-5-3"),
        ("１−５−３", "1-5-3"),
        ("1-2-3", "1-2-3"),
        ("1丁目2番地3", "1-2-3"),
        ("1丁目2番地の3", "1-2-3"),
        ("1丁目2-3 101号室", "1-2-3-101"),
        ("1丁目2番3号 101", "1-2-3-101"),
        ("1-2-3 101", "1-2-3 101"),
        ("一丁目二番三号", "1-2-3"),
        ("十二丁目二十番百三号", "12-20-103"),
        ("二丁目三ノ五", "2-3-5"),
        ("2丁目3ノ5", "2-3-5"),
        ("2丁目3の5", "2-3-5"),
        ("1-2-3 Hikari 101", "1-2-3 Hikari 101"),
    ],
)
def test_the_street_reaches_whmcs_in_latin_letters(street: str, line: str) -> None:
    assert Address.parse({**ADDRESS, "street": street}).romanised_lines()[0] == f"{line} Higashi-Azabu"


@pytest.mark.parametrize("street", ["1丁目2番3号 青葉荘201", "字大野123番地", "四条通烏丸東入長刀鉾町1", "イ12番地"])
def test_a_street_that_cannot_be_written_in_latin_letters_is_asked_for(street: str) -> None:
    assert set(wrong_fields(street=street)) == {"street_romanised"}
    address = Address.parse({**ADDRESS, "street": street, "street_romanised": "１-2-3"})
    assert address.romanised_lines()[0] == "1-2-3 Higashi-Azabu"
    assert address.street == street
    assert set(wrong_fields(street=street, street_romanised="青葉 1")) == {"street_romanised"}


def test_a_building_never_gets_lost_on_the_bill() -> None:
    assert set(wrong_fields(building="光ビル 101", building_romanised="")) == {"building_romanised"}
    latin = Address.parse({**ADDRESS, "building": "Ｈｉｋａｒｉ １０１", "building_romanised": ""})
    assert latin.romanised_lines()[1] == "Hikari 101"


def test_every_missing_field_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Address.parse({})
    assert set(caught.value.fields) == set(ADDRESS) - {"building", "building_romanised"}


def test_a_prefecture_that_does_not_exist_is_refused() -> None:
    assert set(wrong_fields(prefecture="Tokyo")) == {"prefecture"}


def test_latin_fields_take_full_width_letters_and_refuse_japanese() -> None:
    assert Address.parse({**ADDRESS, "town_romanised": "Ｈｉｇａｓｈｉ"}).town_romanised == "Higashi"
    assert Address.parse({**ADDRESS, "town_romanised": "Ōmori"}).town_romanised == "Ōmori"
    assert set(wrong_fields(building_romanised="光 101")) == {"building_romanised"}
    assert set(wrong_fields(city_romanised="Мinato")) == {"city_romanised"}


def test_nul_and_line_ends_are_dropped_and_too_long_or_unprintable_fields_refused() -> None:
    assert Address.parse({**ADDRESS, "building": "光\x00ビル\r\n101"}).building == "光ビル 101"
    assert set(wrong_fields(building="あ" * 81)) == {"building"}
    for unprintable in ("光\x01", "\u202e光", "\ud800"):
        assert set(wrong_fields(building=unprintable)) == {"building"}


@pytest.mark.parametrize(
    ("building", "offered"),
    [
        ("青葉荘201号室", "201"),
        ("第２青葉ビル　３階３０５", "305"),
        ("青葉荘２ー２０１", "2-201"),
        ("青葉荘B102", "B102"),
        ("青葉荘", ""),
        ("", ""),
    ],
)
def test_the_room_of_a_japanese_building_is_offered_for_the_bill(building: str, offered: str) -> None:
    assert room_number(building) == offered
