"""Contact: which way is good for what, and a form for people without an account."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.field import code_field, text_area, text_field
from portal_app.components.form import form_actions, native_form
from portal_app.components.frame import public_frame
from portal_app.components.link import link
from portal_app.components.message import message
from portal_app.components.section import page_title, section
from portal_app.components.slot import place, slot
from portal_app.components.static_pages import static_page
from portal_app.language import _, path_for
from portal_app.pages.shell.other_language import other_language
from portal_app.pages.shell.page import page
from portal_app.state.support.words import CATEGORY_WORDS


def _topics() -> list[tuple[str, str]]:
    return [("", _("Choose one")), *((name, _(words)) for name, words in CATEGORY_WORDS.items())]


@page("/contact", title="Contact", is_static=True)
def contact() -> rx.Component:
    """Lay the page out."""
    sent = message(
        _("We answer to your e-mail address, usually within a working day."),
        tone="ok",
        title=_("Your question is on its way to our team"),
    )
    lead = _("Choose the way that gets you an answer soonest.")
    title = page_title(_("Contact"), lead=lead, actions=other_language("/contact"))
    return static_page(public_frame(title, slot("sent", sent), _ways(), slot("asking", _form())))


@page("/contact/code", title="Enter the code", is_static=True)
def contact_code() -> rx.Component:
    """Lay the page out."""
    title = page_title(
        _("Enter the code"),
        lead=_("We sent six digits to your address. The mail usually arrives within a minute."),
        back=link(_("Back to the form"), href=path_for("/contact"), reload=True),
    )
    form = native_form(
        _problem(),
        code_field(_("Code"), required=True),
        _wrong("code"),
        form_actions(button(_("Send the question"), type="submit")),
        action="/api/contact/verify",
        class_name="grid max-w-md gap-5",
    )
    return static_page(public_frame(title, form))


def _ways() -> rx.Component:
    phone = rx.el.div(
        rx.el.h2(_("By telephone"), class_name="text-lead font-semibold"),
        rx.el.p(_("For a lost SIM, and where the internet is down."), class_name="mt-1 text-quiet"),
        rx.el.p(
            link(place("number"), href="tel:" + place("dialled"), reload=True),
            class_name="mt-4 flex min-h-9 items-center text-lead font-semibold tabular-nums",
        ),
    )
    written = rx.el.div(
        rx.el.h2(_("In your account"), class_name="text-lead font-semibold"),
        rx.el.p(
            _("For everything about your own services and bills: our team sees what it is about."),
            class_name="mt-1 text-quiet",
        ),
        rx.el.div(
            link_button(
                _("Ask our team"), href=path_for("/support/new"), reload=True, variant="secondary", size="small"
            ),
            class_name="mt-4",
        ),
    )
    look = rx.el.div(
        rx.el.h2(_("Look first"), class_name="text-lead font-semibold"),
        rx.el.p(_("Most questions are answered there, at any time of day."), class_name="mt-1 text-quiet"),
        rx.el.div(
            link(_("Help"), href=path_for("/help"), reload=True),
            link(_("Service status"), href=path_for("/status"), reload=True),
            class_name="mt-4 flex min-h-9 items-center gap-6",
        ),
    )
    address = link(place("support_email"), href="mailto:" + place("support_email"), reload=True)
    facts = [(_("Our team is there"), place("hours")), (_("E-mail"), address)]
    hours = rx.el.dl(
        *[rx.el.div(rx.el.dt(label, class_name="text-small text-quiet"), rx.el.dd(value)) for label, value in facts],
        class_name="grid gap-4 border-t border-line pt-6 sm:grid-cols-[2fr_1fr] sm:gap-8",
    )
    return rx.el.div(
        rx.el.div(look, written, slot("phone", phone), class_name="grid gap-8 sm:grid-cols-3"),
        hours,
        class_name="grid gap-8",
    )


def _form() -> rx.Component:
    form = native_form(
        _problem(),
        text_field(
            _("Name"),
            name="name",
            default_value=place("typed name"),
            max_length=80,
            required=True,
            auto_complete="name",
        ),
        _wrong("name"),
        text_field(
            _("E-mail"),
            name="email",
            type="email",
            default_value=place("typed email"),
            hint=_("We mail a code there before we send your question on, and later the answer."),
            required=True,
            auto_complete="email",
        ),
        _wrong("email"),
        _topic(),
        _wrong("category"),
        text_field(_("Subject"), name="subject", default_value=place("typed subject"), max_length=120, required=True),
        _wrong("subject"),
        text_area(
            _("Your question"),
            name="text",
            rows="8",
            default_value=place("typed text"),
            max_length=10_000,
            hint=_("Leave out passwords, PINs and card numbers: nobody here needs them."),
            required=True,
        ),
        _wrong("text"),
        form_actions(button(_("Mail me the code"), type="submit")),
        action="/api/contact",
        class_name="grid max-w-2xl gap-5",
        no_validate=True,
    )
    return rx.el.div(section(_("Without an account"), form), id="question", class_name="scroll-mt-8")


def _topic() -> rx.Component:
    """Ask for the topic; which option is chosen, the server decides by slots."""
    options = []
    for value, words in _topics():
        name = value or "none"
        options += [
            slot(f"chosen {name}", rx.el.option(words, value=value, custom_attrs={"selected": "selected"})),
            slot(f"other {name}", rx.el.option(words, value=value)),
        ]
    return rx.el.div(
        rx.el.label(_("Topic"), html_for="category", class_name="text-small font-medium"),
        rx.el.select(*options, name="category", id="category", required=True, class_name="field"),
        class_name="grid gap-1.5",
    )


def _problem() -> rx.Component:
    return slot("problem", message(place("words"), tone="problem"))


def _wrong(name: str) -> rx.Component:
    return slot(
        f"wrong {name}",
        rx.el.p(
            rx.el.span(aria_hidden="true", class_name="shape mt-1.5"),
            rx.el.span(place("words")),
            custom_attrs={"data-tone": "problem"},
            class_name="wrong flex gap-2 text-small text-problem",
        ),
    )
