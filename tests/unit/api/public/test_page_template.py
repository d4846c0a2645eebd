"""Slots of public pages: filled once, and with text only."""

from portal_app.api.public.page_template import Html, fill


def slot(name: str, content: str) -> str:
    return f'<span data-slot="begin {name}"></span>{content}<span data-slot="end {name}"></span>'


def test_a_text_is_escaped_and_html_of_ours_is_not() -> None:
    assert fill('<b title="[[a]]">[[b]]</b>', {"a": '"><i>', "b": Html("<i>ours</i>")}) == (
        '<b title="&quot;&gt;&lt;i&gt;"><i>ours</i></b>'
    )


def test_what_is_put_in_is_never_filled_in_again() -> None:
    page = slot("row", "<p>[[q]]</p>") + "[[body]] [[q]]"
    filled = fill(page, {"q": "[[body]]", "body": Html("<i>[[q]]</i>"), "row": [{"q": "[[body]]"}]})
    assert filled == "<p>&#91;&#91;body]]</p><i>[[q]]</i> &#91;&#91;body]]"


def test_a_text_cannot_open_a_slot() -> None:
    assert "<span data-slot" not in fill("[[a]]", {"a": slot("row", "x"), "row": [{}, {}]})
