"""Small line icons: decoration beside a word, so hidden from screen readers."""

import reflex as rx

# Drawn here on a grid of 24, because every library icon shared by two pages becomes a request of its own.
_CIRCLE = "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z"
_EYE = (
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"
    "M12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z"
)
_YEN = "M9.2 7.5 12 11.2l2.8-3.7M12 11.2V16M9.7 11.7h4.6M9.7 13.8h4.6"
_LINES = {
    "house": "M4 11.5 12 5l8 6.5V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM10 20v-5.5h4V20",
    "router": "M4 14h16v6H4zM7.5 17h.01M11 17h.01M16 14v-3.5M13.2 8.6a4 4 0 0 1 5.6 0M11 5.8a7 7 0 0 1 10 0",
    "bill": "M6 3.5h12v17l-2-1.4-2 1.4-2-1.4-2 1.4-2-1.4-2 1.4z" + _YEN,
    "help": _CIRCLE + "M9.4 9.6a2.7 2.7 0 1 1 4 2.4c-.9.5-1.4 1-1.4 2M12 16.8h.01",
    "person": "M12 4a3.75 3.75 0 1 1 0 7.5A3.75 3.75 0 0 1 12 4zM4.5 20a7.5 7.5 0 0 1 15 0",
    "account": _CIRCLE + "M12 7.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM6.6 18.4a5.6 5.6 0 0 1 10.8 0",
    "bell": "M6 10a6 6 0 0 1 12 0c0 4 1 5.5 2 6.5H4c1-1 2-2.5 2-6.5zM10 19.8a2.2 2.2 0 0 0 4 0",
    "contrast": _CIRCLE,
    "eye": _EYE,
    "eye-off": _EYE + "M4 4l16 16",
    "check": "M5 12.5 9.5 17 19 7.5",
    "download": "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    "box": "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
    "globe": _CIRCLE + "M3.5 12h17M12 3.5c4.5 5 4.5 12 0 17M12 3.5c-4.5 5-4.5 12 0 17",
    "sim": "M7 3.5h7l4 4v13H7zM10 12h5v5h-5z",
    "shield": "M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z",
}
_FILLED = {"contrast": "M12 3.5a8.5 8.5 0 0 1 0 17z"}


def icon(name: str, *, size: int = 18) -> rx.Component:
    """Draw an icon of `_LINES`. The name is plain text, never a var."""
    filled = [rx.el.path(d=_FILLED[name], fill="currentColor")] if name in _FILLED else []
    return rx.el.svg(
        rx.el.path(d=_LINES[name]),
        *filled,
        view_box="0 0 24 24",
        width=str(size),
        height=str(size),
        aria_hidden="true",
        class_name="icon",
    )
