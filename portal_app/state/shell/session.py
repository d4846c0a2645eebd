"""The session that an open page belongs to. Only the guard binds it."""

from uuid import UUID

import reflex as rx

from portal_app.language import speaking
from portal_app.language.format import person
from portal_app.wiring.portal import portal


class PageSession(rx.State):
    """The session a state tree is bound to, and what pages show of it."""

    name: str = ""
    japanese_name: str = ""
    signed_in: bool = False
    must_reload: bool = False
    _session_id: str = ""
    _user_id: str = ""
    _email: str = ""


async def show_account(identity: PageSession, user_id: UUID) -> None:
    """Read name and e-mail address of the account a page belongs to.

    Not a method: events may call those of a state.
    """
    view = await portal().identity.accounts.view(user_id)
    identity.name, identity._email = view.name, view.email
    with speaking("ja"):
        identity.japanese_name = person(view.name)
