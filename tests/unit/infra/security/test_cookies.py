"""Cookies: only the portal's own are read, in one pass, whatever else a header holds."""

import pytest

from portal_app.infra.interpreter import known_flaws, report_flaws
from portal_app.infra.security.cookies import KINDS, cookie_name, cookie_names, keep_cookies, read_cookie
from portal_app.infra.settings import Settings

ACCESS = "portal-access-3000"
QUOTED = 'a="' + '\\"' * 100_000 + '"'


@pytest.fixture
def settings() -> Settings:
    return Settings(portal_env="development", portal_port=3000, portal_url="http://localhost:3000")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (f"{ACCESS}=eyJ.a-b_c", "eyJ.a-b_c"),
        (f"other=1; {ACCESS}=x; last=2", "x"),
        (f"  {ACCESS}=x  ", "x"),
        (f"{ACCESS}=first; {ACCESS}=second", "second"),
        (f"{ACCESS}=", ""),
        (f"x{ACCESS}=x", ""),
        (f'{ACCESS}="x"', ""),
        (f"{ACCESS}=a\\073b", ""),
        (f"{QUOTED}; {ACCESS}=x", "x"),
        (f"{ACCESS}{QUOTED[1:]}", ""),
        ("", ""),
        (";;=;==;", ""),
    ],
)
def test_one_cookie_is_read_from_a_raw_header(header: str, value: str) -> None:
    assert read_cookie(header, ACCESS) == value


def test_every_kind_of_cookie_survives_the_filter_and_nothing_else(settings: Settings) -> None:
    own = "; ".join(f"{cookie_name(settings, kind)}=value-of.{kind}_1" for kind in KINDS)
    assert keep_cookies(f"_ga=1; {own}; {QUOTED}; theme=dark", cookie_names(settings)) == own


def test_an_interpreter_with_a_cookie_flaw_names_the_issue(capsys: pytest.CaptureFixture[str]) -> None:
    report_flaws()
    assert all(number in capsys.readouterr().out for number in known_flaws())
