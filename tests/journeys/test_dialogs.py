"""Every dialog that a handler opens: closed in each way it asks again, and a reload asks nothing."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.test_security import let_the_proof_age, with_virtual_authenticator
from tests.support.running.demo import BEN, Demo


def test_a_dialog_opens_as_often_as_it_is_asked_and_never_by_itself(visit, demo: Demo) -> None:
    page = visit("/billing/payments", email=BEN, may_miss=True)
    asks_again(page, "Remove this payment method?", lambda: page.get_by_role("button", name="Remove: ").click())
    page.goto("/subscriptions/1/cancel")
    asks_again(page, "Cancel this service?", lambda: _wants_to_cancel(page))
    page.goto("/account/notifications")
    page.get_by_role("button", name="Make a calendar link").click()
    asks_again(page, "End the link?", lambda: page.get_by_role("button", name="End the link").first.click())
    page.get_by_role("dialog").get_by_role("button", name="End the link").click()
    with_virtual_authenticator(page)
    page.goto("/account/security")
    # A passkey that could not be added is asked for again at the next press.
    refusal = {"detail": "Not this time."}
    page.context.route("**/api/me/passkeys", lambda route: route.fulfill(status=422, json=refusal), times=1)
    page.get_by_label("Name of a new passkey").fill("A key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkey-problem")).not_to_be_empty()
    page.get_by_role("button", name="Add a passkey").click()
    asks_again(page, "Edit this passkey", lambda: page.get_by_role("button", name="Edit A key").click())
    expect(page.get_by_label("Name", exact=True)).to_have_value("A key")
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_text("A key", exact=True)).to_have_count(0)
    let_the_proof_age(demo)
    turn_on = page.get_by_role("button", name="Turn on two-step sign-in")
    asks_again(page, "Confirm that it is you", turn_on.click)


def asks_again(page: Page, name: str, press: Callable[[], None]) -> None:
    """Ask, close by button, by Escape, by a click beside it; reload, and ask once more: it is open afterwards."""
    asked = page.get_by_role("dialog", name=name)
    quiet = asked.locator("button[data-variant=quiet]")
    for close in (quiet.click, lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(5, 5)):
        press()
        expect(asked).to_be_visible()
        close()
        expect(asked).to_be_hidden()
    page.reload()
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("[aria-busy=true], .skeleton")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    press()
    expect(asked).to_be_visible()


def _wants_to_cancel(page: Page) -> None:
    page.get_by_label("Why do you cancel?").select_option("price")
    page.get_by_label("I know what ends").check()
    page.get_by_role("button", name="Go on").click()
