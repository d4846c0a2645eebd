"""Quotes at the end of mails, as mail programs in English and Japanese write them."""

import pytest

from portal_app.domain.support.quotes import split_quotes


@pytest.mark.parametrize(
    ("text", "own", "quoted"),
    [
        ("Thanks", "Thanks", ""),
        ("Thanks\n\n> earlier\n> words\n", "Thanks", "> earlier\n> words"),
        ("Yes\n\nOn Mon, 30 Nov 2026 at 10:00, Support <a@b.jp> wrote:\n> Is it?", "Yes", None),
        ("はい\n\n2026年11月30日(月) 10:00 サポート <a@b.jp>:\n> 本当ですか", "はい", None),
        ("Hello\n-----Original Message-----\nFrom: x\nOld", "Hello", None),
        ("了解です\n差出人: サポート\n送信日時: 2026/11/30\n宛先: 花子\n古い文", "了解です", None),
        ("> one\nanswer one\n> two\nanswer two", "> one\nanswer one\n> two\nanswer two", ""),
        ("> only a quote", "> only a quote", ""),
        ("From: here it goes wrong", "From: here it goes wrong", ""),
    ],
)
def test_what_is_new_is_told_from_what_is_quoted(text: str, own: str, quoted: str | None) -> None:
    found = split_quotes(text)
    assert found[0] == own
    assert found[1] == quoted if quoted is not None else found[1].endswith(text.rsplit("\n", 1)[-1])
