"""Codes as they are typed and pasted."""

import pytest

from portal_app.domain.identity.typed_code import plain_code


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("294534", "294534"),
        ("294 534", "294534"),
        ("294\u00a0534", "294534"),
        ("294-534", "294534"),
        ("294ー534", "294534"),
        ("２９４５３４", "294534"),
        ("２９４　５３４", "294534"),
        ("\ufeff294\u200b534\n", "294534"),
        ("ABCDE-FGHIJ", "abcdefghij"),
        ("ＡＢＣＤＥ－ＦＧＨＩＪ", "abcdefghij"),
        ("ab cd", "abcd"),
    ],
)
def test_a_code_is_read_however_it_was_typed(typed: str, plain: str) -> None:
    assert plain_code(typed) == plain
