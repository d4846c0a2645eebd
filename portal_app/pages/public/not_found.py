"""The page for unknown addresses."""

import reflex as rx

from portal_app.components.button import link_button
from portal_app.components.frame import auth_frame
from portal_app.language import LANGUAGES, Language, _, path_for, speaking
from portal_app.pages.shell.page import page


@page("/404", title="Not found", is_public=True)
def not_found() -> rx.Component:
    """Lay the page out, in all languages: the browser shows this one page for every wrong address."""
    first, *others = LANGUAGES
    title, lead = _words(first)
    return auth_frame(_ways(first), *[_again(language) for language in others], title=title, lead=lead)


def _again(language: Language) -> rx.Component:
    title, lead = _words(language)
    words = rx.el.h2(title, class_name="text-lead font-semibold"), rx.el.p(lead, class_name="mt-1 text-quiet")
    return rx.el.section(*words, rx.el.div(_ways(language), class_name="mt-4"), lang=language, class_name="mt-6")


def _words(language: Language) -> tuple[str, str]:
    with speaking(language):
        return _("There is no page here"), _("The address may be incomplete, or the page has moved.")


def _ways(language: Language) -> rx.Component:
    with speaking(language):
        return rx.el.div(
            link_button(_("Go to your dashboard"), href=path_for("/dashboard"), reload=True),
            link_button(_("See our plans"), href=path_for("/"), variant="secondary", reload=True),
            class_name="flex flex-wrap gap-3",
        )
