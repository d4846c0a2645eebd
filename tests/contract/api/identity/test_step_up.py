"""Confirming that it is still the owner, over JSON and forms."""

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import is_recent, let_the_proof_age
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import PASSWORD, world

PATH = "/api/me/step-up"


async def test_a_password_stamps_the_session_and_rotates_its_tokens(ben: Visitor, portal: Portal) -> None:
    await let_the_proof_age(portal, ben)
    before, refresh = portal.identity.sessions.read_access_token(ben.cookie("access")), ben.cookie("refresh")
    answer = await ben.call("POST", PATH, {"password": PASSWORD})
    assert (answer.status_code, answer.json()) == (200, {"next": "/account/security"})
    assert portal.identity.sessions.read_access_token(ben.cookie("access")).session_id == before.session_id
    assert ben.cookie("refresh") != refresh
    assert await is_recent(portal, ben)


async def test_a_wrong_password_is_reported_in_the_language_of_the_page_and_proves_nothing(
    ben: Visitor, portal: Portal
) -> None:
    await let_the_proof_age(portal, ben)
    for page, words in {"/account": "That is not your password.", "/ja/account": "パスワードが違います。"}.items():
        answer = await ben.call("POST", PATH, {"password": "wrong"}, Referer=portal.settings.portal_url + page)
        assert (answer.status_code, answer.json()["fields"]) == (422, {"password": words})
    assert not await is_recent(portal, ben)


async def test_a_page_open_for_an_hour_can_still_confirm(ben: Visitor, portal: Portal) -> None:
    await let_the_proof_age(portal, ben)
    old = ben.cookie("refresh")
    ben.set_cookie("access", "")
    answer = await ben.submit(PATH, password=PASSWORD, next="/orders")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert ben.cookie("refresh") != old
    assert await is_recent(portal, ben)


async def test_guessing_the_password_in_an_open_session_is_limited(ben: Visitor, portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_factor_limit="3/minute")):
        tries = [(await ben.call("POST", PATH, {"password": f"guess {n}"})).status_code for n in range(4)]
        assert tries == [422, 422, 422, 429]
        assert (await ben.call("POST", PATH, {"password": PASSWORD})).status_code == 429


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": 1}, {"password": "\u0000"}, {"passwords": "x"}])
async def test_a_step_up_without_a_proof_is_refused(ben: Visitor, portal: Portal, body: dict) -> None:
    await let_the_proof_age(portal, ben)
    assert (await ben.call("POST", PATH, body)).status_code == 422
    assert not await is_recent(portal, ben)


async def test_a_step_up_needs_a_session(visitor: Visitor) -> None:
    assert (await visitor.call("POST", PATH, {"password": PASSWORD})).status_code == 401
