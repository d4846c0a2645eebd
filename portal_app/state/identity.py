"""Who an open page belongs to. Only the guard writes here."""

import reflex as rx


class Identity(rx.State):
    """The session a state tree is bound to, and the little of it that pages show."""

    name: str = ""
    signed_in: bool = False
    must_reload: bool = False
    _session_id: str = ""
    _user_id: str = ""
    _email: str = ""
