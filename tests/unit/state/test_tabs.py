"""The open tabs of a web process: found by user and by session, forgotten in every index at once."""

import reflex as rx

from portal_app.state.shell.tabs import Tabs


class Page(rx.State):
    """A page of a tab."""


def record(
    tabs: Tabs, token: str, *, user: str = "ben", session: str = "s1", page: type[rx.State] | None = None
) -> None:
    tabs.record_event(token, user_id=user, session_id=session, page=page)


def tokens(tabs: Tabs, user: str) -> list[str]:
    return [tab.token for tab in tabs.tabs_of_user(user)]


def test_only_the_tabs_of_a_user_are_found() -> None:
    tabs = Tabs()
    record(tabs, "a")
    record(tabs, "b", session="s2")
    record(tabs, "c", user="aiko", session="s3")
    assert (tokens(tabs, "ben"), tokens(tabs, "aiko"), tokens(tabs, "nobody")) == (["a", "b"], ["c"], [])
    assert [tab.token for tab in tabs.tabs_of_session("s2")] == ["b"]
    assert sorted(tabs.sessions()) == ["s1", "s2", "s3"]


def test_a_tab_with_a_new_user_belongs_to_that_user_only() -> None:
    tabs = Tabs()
    record(tabs, "a", page=Page)
    record(tabs, "a", user="aiko", session="s2")
    assert (tokens(tabs, "ben"), tokens(tabs, "aiko"), tabs.sessions()) == ([], ["a"], ["s2"])
    assert tabs.tabs_of_user("aiko")[0].page is None


def test_a_tab_keeps_its_page_until_another_one_loads() -> None:
    tabs = Tabs()
    record(tabs, "a", page=Page)
    record(tabs, "a")
    assert tabs.tabs_of_user("ben")[0].page is Page


def test_a_forgotten_tab_is_in_no_index() -> None:
    tabs = Tabs()
    record(tabs, "a")
    tabs.forget("a")
    tabs.forget("a")
    assert (tokens(tabs, "ben"), tabs.sessions(), tabs.tabs_of_session("s1")) == ([], [], [])


def test_the_tab_that_was_quiet_for_longest_goes_first() -> None:
    tabs = Tabs(most=2)
    record(tabs, "a")
    record(tabs, "b")
    record(tabs, "a")
    record(tabs, "c", user="aiko", session="s2")
    assert (tokens(tabs, "ben"), tokens(tabs, "aiko")) == (["a"], ["c"])
