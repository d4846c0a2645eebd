"""The files of a message: each a download, or a word about how far it is; many small pictures folded."""

from typing import Any

import reflex as rx

from portal_app.components.disclosure import disclosure
from portal_app.components.link import link
from portal_app.language import _


def file_list(files: Any, small: Any, small_words: Any) -> rx.Component:
    """List files by `name`, `size`, `href` and `note`; `small` are the pictures of signatures."""
    listed = rx.el.ul(rx.foreach(files, _file), class_name="mt-2 grid gap-1", aria_label=_("Files"))
    folded = disclosure(
        small_words,
        rx.el.ul(rx.foreach(small, _file), class_name="mt-1 grid gap-1"),
        class_name="mt-1",
    )
    return rx.fragment(rx.cond(files.length() > 0, listed), rx.cond(small.length() > 0, folded))


def _file(file: Any) -> rx.Component:
    look = "link [overflow-wrap:anywhere]"
    name = rx.cond(
        file.href != "",
        link(file.name, href=file.href, reload=True, download=True, class_name=look),
        rx.el.span(file.name, class_name="[overflow-wrap:anywhere]"),
    )
    return rx.el.li(
        name,
        rx.el.span(file.size, class_name="ml-2 whitespace-nowrap text-small text-quiet tabular-nums"),
        rx.cond(file.note != "", rx.el.span(file.note, class_name="ml-2 text-small text-quiet")),
    )
