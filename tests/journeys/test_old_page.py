"""A tab that was opened before a deployment calls what the new version does not have."""

from playwright.sync_api import WebSocketRoute, expect

from tests.support.running.world import BEN


def test_a_tab_of_the_last_version_loads_again_and_works(visit) -> None:
    page = visit("/billing/invoices", email=BEN)
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    sockets: list[WebSocketRoute] = []

    def speak_as_the_last_version(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        # The page that loads again is of the new version.
        sockets.append(socket)
        is_old = len(sockets) == 1
        socket.on_message(
            lambda text: server.send(
                text.replace("invoices_page.look_for", "invoices_page.removed") if is_old else text
            )
        )

    page.route_web_socket("**/_event/**", speak_as_the_last_version)
    page.reload()
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    search = page.get_by_role("searchbox")
    with page.expect_event("load"):
        search.fill("no such invoice")
        search.press("Enter")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    search.fill("no such invoice")
    search.press("Enter")
    page.wait_for_url("**q=no+such+invoice**")
