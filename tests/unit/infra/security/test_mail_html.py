"""HTML mails as text: words, lines, quotes and addresses are kept; markup, scripts and pictures are not."""

import pytest

from portal_app.infra.security.mail_html import text_of_html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("<p>Hi <b>you</b></p><p>two</p>", "Hi you\n\ntwo"),
        ("<div>a</div><div>b</div><ul><li>c</li></ul>", "a\nb\nc"),
        ("one<br>two<br><br><br><br>three", "one\ntwo\n\nthree"),
        ("<p>new</p><blockquote><p>old<br>words</p></blockquote>after", "new\n\n> old\n> words\n>\nafter"),
        ('<a href="https://x.jp/?a=1&amp;b">here</a>', "here (https://x.jp/?a=1&b)"),
        ('<a href="https://x.jp/">https://x.jp/</a>', "https://x.jp/"),
        ('<a href="javascript:alert(1)">x</a><img src="http://out.example/p.png"><img src="cid:1">', "x"),
        ("<style>p{}</style><script>alert(1)</script><svg><script>2</script></svg>ok", "ok"),
        ("&lt;b&gt; &amp; text", "<b> & text"),
    ],
)
def test_words_are_kept_and_markup_is_not(markup: str, text: str) -> None:
    assert text_of_html(markup) == text
