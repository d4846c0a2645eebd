"""Choosing files for a message: they are sent while the message is typed, by assets/uploads.js."""

import json
from typing import Any

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import Text, has, when
from portal_app.components.watcher import when_changed
from portal_app.language import _

PLACE = "files"
IDS = "uploads"


def file_uploads(place: Any, *, name: str = IDS, label: str = "", accept: str = "", error: Text = "") -> rx.Component:
    """Let files be chosen, dropped or pasted, each with its progress; put it into a form.

    The form's field `name` carries the ids of what arrived, and `<name>_waiting` says whether something has not. With
    `accept` one file of these kinds is asked for, which takes the place of an earlier one.

    `place` tells the `key` of their draft, with a slash and what changes when the list starts again, the `most_bytes`
    of a file, and the words `hint` and `too_large`.
    """
    return rx.el.div(
        when_changed(place.key, _open_script(), runs_first=True),
        rx.el.label(label or _("Files"), html_for=f"{PLACE}-input", class_name="text-small font-medium"),
        _chooser(place, accept),
        rx.el.ul(custom_attrs={"data-part": "list"}, aria_label=_("Files"), class_name="grid gap-3 empty:hidden"),
        rx.el.ul(_pattern(), hidden=True),
        rx.el.input(type="hidden", name=name, custom_attrs={"data-part": "ids"}),
        rx.el.input(type="hidden", name=f"{name}_waiting", custom_attrs={"data-part": "waiting"}),
        rx.el.p(role="status", custom_attrs={"data-part": "note"}, class_name="text-small text-quiet empty:hidden"),
        when(has(error), _problem(error)),
        id=PLACE,
        custom_attrs=_words(place),
        class_name="grid gap-2",
    )


def _chooser(place: Any, accept: str) -> rx.Component:
    control = rx.el.input(
        type="file",
        multiple=not accept,
        **({"accept": accept} if accept else {}),
        id=f"{PLACE}-input",
        aria_describedby=f"{PLACE}-hint",
        custom_attrs={"data-part": "input"},
        class_name="sr-only",
    )
    # The browser's own words would say "no file chosen" above the files that were.
    choose = rx.el.label(
        _("Choose files"),
        html_for=f"{PLACE}-input",
        custom_attrs={"data-variant": "secondary", "data-size": "small"},
        class_name="button cursor-pointer",
    )
    hint = rx.el.p(place.hint, id=f"{PLACE}-hint", class_name="min-w-0 flex-1 basis-48 text-small text-quiet")
    look = "file-drop relative flex flex-wrap items-center gap-x-4 gap-y-2 p-3"
    return rx.el.div(control, choose, hint, class_name=look)


def _problem(words: Text) -> rx.Component:
    return rx.el.p(
        rx.el.span(aria_hidden="true", class_name="shape mt-1.5"),
        rx.el.span(words),
        role="alert",
        custom_attrs={"data-tone": "problem"},
        class_name="flex gap-2 text-small text-problem",
    )


def _words(place: Any) -> dict[str, Any]:
    return {
        "data-most": place.most_bytes,
        "data-large": place.too_large,
        "data-empty": _("This file is empty."),
        "data-arriving": _("{percent} % sent"),
        "data-checking": _("Being checked"),
        "data-ready": _("Ready to be sent"),
        "data-same": _("You have added this file already. It is sent once."),
        "data-all": _("All files are ready to be sent."),
        "data-refused": _("{name} cannot be sent."),
        "data-again": _("Not complete. Choose this file once more to go on."),
        "data-paused": _("Paused"),
        "data-pause": _("Pause"),
        "data-resume": _("Resume"),
        "data-failed": _("This file could not be sent. Remove it and try again."),
    }


def _pattern() -> rx.Component:
    """Return the row that the script copies for each file."""
    look = {"variant": "quiet", "size": "small"}
    return rx.el.li(
        rx.el.div(
            rx.el.span(custom_attrs={"data-part": "name"}, class_name="block [overflow-wrap:anywhere]"),
            rx.el.span(
                custom_attrs={"data-part": "words"},
                class_name="block text-small text-quiet data-[tone=problem]:text-problem data-[tone=ok]:text-ok",
            ),
            rx.el.progress(custom_attrs={"data-part": "bar"}, class_name="mt-1 w-full accent-accent"),
            class_name="min-w-0 flex-1",
        ),
        button(_("Pause"), **look, custom_attrs={"data-part": "hold"}),
        button(_("Remove"), **look, custom_attrs={"data-part": "remove"}),
        hidden=True,
        custom_attrs={"data-part": "pattern"},
        class_name="flex flex-wrap items-center gap-3 [&[hidden]]:hidden",
    )


def _open_script() -> str:
    # The address is made at run time, so that the bundler leaves the file out of every page's bundle.
    missing = f"document.getElementById('{PLACE}')"
    return (
        "((value) => { const at = new URL('/uploads.js', window.location.href).href; "
        f"import(/* @vite-ignore */ at).then((script) => script.open({json.dumps(PLACE)}, value.split('/')[0]))"
        f".catch(() => {{ {missing}.querySelector('[data-part=note]').textContent = {missing}.dataset.failed; }}); }})"
    )
