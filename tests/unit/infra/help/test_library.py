"""Help articles: whole in both languages, filled from the settings, and harmless whatever is written in them."""

import re

import pytest

from portal_app.infra.help.library import FlawedArticle, article_of, read_articles
from portal_app.infra.help.markdown import plain_text, render
from portal_app.infra.settings import Settings
from portal_app.language import LANGUAGES, path_for
from portal_app.pages import all_pages
from portal_app.pages.shell.page import PAGES

assert all_pages
HEAD = '+++\ntitle = "T"\nsummary = "S"\nkeywords = ["k"]\nservices = []\nupdated = 2026-11-30\n+++\n'
HOSTILE = [
    ("<script>alert(1)</script>", "<script"),
    ("<img src=x onerror=alert(1)>", "<img"),
    ("[x](javascript:alert(1))", "href"),
    ("[x](JaVaScRiPt&#58;alert(1))", "href"),
    ("[x](//evil.example)", "href"),
    ("[x](/\\evil.example)", 'href="/\\'),
    ("[x](http://evil.example)", "href"),
    ("[x](data:text/html,hi)", "href"),
    ("[x](/api/auth/logout)", "href"),
    ("![x](https://evil.example/pixel.png)", "<img"),
    ('[x](/help "a\\" onmouseover=alert(1)")', '" onmouseover'),
]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(portal_env="development")


def test_every_article_exists_in_every_language_and_fits_its_translation(settings: Settings) -> None:
    articles = read_articles(settings)
    assert len(articles["en"]) >= 12
    shapes = [
        {slug: (each.services, each.html.count("<h2>"), each.html.count("<tr>")) for slug, each in found.items()}
        for found in articles.values()
    ]
    assert shapes[0] == shapes[1]


def test_every_link_of_an_article_leads_to_a_page(settings: Settings) -> None:
    articles = read_articles(settings)
    for language in LANGUAGES:
        known = {path_for(each.route, language) for each in PAGES}
        known |= {path_for(f"/help/{slug}", language) for slug in articles[language]}
        links = {link for each in articles[language].values() for link in re.findall(r'href="(/[^"]*)"', each.html)}
        assert links - known == set()


def test_values_of_settings_are_filled_in(settings: Settings) -> None:
    other = {"portal_cancellation_cut_off": 22, "mnp_min_days_left": 7, "portal_sim_apn": "lte.example.jp"}
    for articles in read_articles(settings.model_copy(update=other)).values():
        assert "22" in articles["cancelling"].summary and "25" not in articles["cancelling"].html
        assert "7" in articles["bring-number"].summary
        assert "lte.example.jp" in articles["sim-setup"].html
        assert not [slug for slug, each in articles.items() if re.search(r"\{[a-z_]+\}", each.html + each.summary)]


@pytest.mark.parametrize(("text", "never"), HOSTILE)
def test_nothing_active_comes_out_of_an_article(text: str, never: str) -> None:
    assert never.casefold() not in render(text, "en").casefold()


def test_words_for_the_search_have_no_marks() -> None:
    assert plain_text("## One\n\n- **two** [three](/help)\n\n| a | b |\n|---|---|\n| c | `d` |") == (
        "One\ntwo three\na\nb\nc\nd"
    )


@pytest.mark.parametrize(
    ("slug", "text"),
    [
        ("plain", "no head"),
        ("plain", HEAD.replace('title = "T"\n', "")),
        ("plain", HEAD + "{no_such_setting}"),
        ("plain", HEAD.replace("2026-11-30", "yesterday")),
        ("..", HEAD),
        ("A B", HEAD),
    ],
)
def test_a_flawed_article_is_named(slug: str, text: str) -> None:
    with pytest.raises(FlawedArticle, match=f"en/{re.escape(slug)}"):
        article_of(text, slug=slug, language="en", values={})
