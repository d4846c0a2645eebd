"""Messages that wait for the next page."""

import pytest

from portal_app.domain.errors import RateLimited
from portal_app.services.flash_messages import FlashMessages
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of, running
from tests.support.running.world import world


async def test_messages_are_read_again_on_a_reload(portal: Portal) -> None:
    flash_id = await portal.flash_messages.store({"email": "Enter an address."}, network="198.51.100.1")
    for _ in range(2):
        assert await portal.flash_messages.read(flash_id) == {"email": "Enter an address."}


@pytest.mark.parametrize("flash_id", ["", "x", "a" * 22, "é" * 22, "../../../../session:12345", "a" * 21 + "\n"])
async def test_an_id_that_names_nothing_shows_nothing(portal: Portal, flash_id: str) -> None:
    assert await portal.flash_messages.read(flash_id) == {}


async def test_without_redis_there_is_no_id_and_no_error() -> None:
    async with running(world().settings_with(redis_url="redis://127.0.0.1:1/0")) as dark:
        flashes = FlashMessages(dark.redis, limit="9/minute")
        assert await flashes.store({"email": "x"}, network="198.51.100.1") == ""
        assert await flashes.read("a" * 22) == {}


async def test_a_network_whose_forms_are_refused_all_the_time_leaves_no_more_messages(portal: Portal) -> None:
    flashes = FlashMessages(portal.redis, limit="2/minute")
    for _ in range(2):
        assert await flashes.store({"form": "No."}, network="198.51.100.1")
    with pytest.raises(RateLimited):
        await flashes.store({"form": "No."}, network="198.51.100.1")
    assert await flashes.store({"form": "No."}, network="198.51.100.2")


async def test_messages_are_gone_after_five_minutes(portal: Portal) -> None:
    flash_id = await portal.flash_messages.store({"form": "No."}, network="198.51.100.1")
    assert 0 < await portal.redis.ttl(f"flash:{flash_id}") <= 300


async def test_a_form_refused_too_often_is_answered_with_the_problem_itself(portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_refusal_limit="1/minute")) as strict:
        mallory = Visitor(strict.settings, address="198.51.100.31")
        answers = [await mallory.submit("/api/auth/signup", email="no address") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 429]
        assert answers[1].headers["retry-after"]
        await mallory.http.aclose()
