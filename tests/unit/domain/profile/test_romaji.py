"""Readings in Latin letters, as on road signs, and the readings of Japan Post's list."""

import pytest

from portal_app.domain.profile.romaji import romanise
from portal_app.services.profile.postcodes import Postcodes


@pytest.mark.parametrize(
    ("kana", "written", "latin"),
    [
        ("トウキョウ", "", "Tokyo"),
        ("オオサカ", "", "Osaka"),
        ("マツウラ", "", "Matsuura"),
        ("フクウラ", "福浦", "Fukuura"),
        ("マルノウチ", "丸の内", "Marunouchi"),
        ("ヨコウラ", "横浦", "Yokoura"),
        ("ミチノウエ", "道上", "Michinoue"),
        ("コウチ", "高知", "Kochi"),
        ("ソウマ", "相馬", "Soma"),
        ("オウメ", "青梅", "Ome"),
        ("チュウオウ", "中央", "Chuo"),
        ("シングウチョウ", "新宮町", "Shingucho"),
        ("ヨシウミチョウ", "吉海町", "Yoshiumicho"),
        ("ニシ１５ジョウ", "西十五条", "Nishi15jo"),
        ("ニッポリ", "日暮里", "Nippori"),
        ("ハッチョウボリ", "八丁堀", "Hatchobori"),
    ],
)
def test_a_vowel_is_long_only_inside_one_part_of_a_name(kana: str, written: str, latin: str) -> None:
    assert romanise(kana, written) == latin


@pytest.mark.parametrize(
    ("postcode", "town"), [("604-0983", "Sasayacho"), ("602-8374", "Nishimachi"), ("100-0005", "Marunouchi")]
)
async def test_a_town_is_read_once_however_often_the_list_repeats_it(postcode: str, town: str) -> None:
    assert town in {found.town_romanised for found in await Postcodes().look_up(postcode)}
