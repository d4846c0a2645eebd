"""New passwords: long enough, not among the first that are tried, and nothing else asked."""

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.infra.security.password_policy import check_new_password


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "PASSWORD1234",
        "１２３４５６７８９０１２",
        "abababababab",
        "tanaka-tanaka",
        "a" * 129,
        "P@ssw0rd!2026",
        "Welcome2026!!",
        "qwertyuiop[]12",
        "1qaz2wsx3edc",
        "zyxwvutsrqponm",
        "SakuraSakura1",
        "dragon-monkey-99",
        "correct horse battery staple",
        "Tanaka.Hikari.2026",
        "abc123abc123abc",
    ],
)
def test_a_short_long_common_or_personal_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_new_password(password, context=("tanaka",))
    assert set(caught.value.fields) == {"password"}


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "ひみつのあいことばはこれだよね",
        "tanaka walks seven dogs",
        "gK8#vv2!pQz0w",
        "絵文字も🐙🦑🐙🦀🐡使えます絵文字",
        " spaces at both ends ",
    ],
)
def test_a_long_password_needs_no_special_characters(password: str) -> None:
    assert check_new_password(password, context=("tanaka",)) == password
