"""Messages that wait for the next page."""

import pytest

from portal_app.services.flash_messages import FlashMessages
from portal_app.wiring.portal import Portal
from tests.contract.api.visitor import running
from tests.world import world


async def test_messages_are_read_again_on_a_reload(portal: Portal) -> None:
    flash_id = await portal.flash_messages.store({"email": "Enter an address."})
    for _ in range(2):
        assert await portal.flash_messages.read(flash_id) == {"email": "Enter an address."}


@pytest.mark.parametrize("flash_id", ["", "x", "a" * 22, "é" * 22, "../../../../session:12345", "a" * 21 + "\n"])
async def test_an_id_that_names_nothing_shows_nothing(portal: Portal, flash_id: str) -> None:
    assert await portal.flash_messages.read(flash_id) == {}


async def test_without_redis_there_is_no_id_and_no_error() -> None:
    async with running(world().settings_with(redis_url="redis://127.0.0.1:1/0")) as dark:
        flashes = FlashMessages(dark.redis)
        assert await flashes.store({"email": "x"}) == ""
        assert await flashes.read("a" * 22) == {}
