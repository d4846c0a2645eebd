"""The check of a customer's identity: how it stands, why it is asked for, and the form for a document."""

import reflex as rx

from portal_app.components.button import button, link_button
from portal_app.components.definition import definition_list
from portal_app.components.file_field import file_field
from portal_app.components.file_uploads import file_uploads
from portal_app.components.form import form_actions, native_form
from portal_app.components.link import link
from portal_app.components.live_region import live_region
from portal_app.components.message import flash, message
from portal_app.components.section import page_title, section
from portal_app.components.states import skeleton
from portal_app.components.status import status
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.profile.kyc import VerificationPage

_KINDS = ".jpg,.jpeg,.png,.pdf,image/jpeg,image/png,application/pdf"


@page("/account/verification", title="Identity check", load=VerificationPage.load)
def verification() -> rx.Component:
    body = rx.el.div(
        live_region(VerificationPage.word),
        flash(VerificationPage.notice, tone="problem"),
        _standing(),
        rx.cond(VerificationPage.is_open, _form()),
        _about(),
        class_name="grid max-w-2xl gap-10",
    )
    title = page_title(
        _("Identity check"),
        lead=status(VerificationPage.word, tone=VerificationPage.tone),
        back=rx.cond(
            VerificationPage.onward != "",
            link(_("Checkout"), href=VerificationPage.onward),
            link(_("Account"), href=path_for("/account")),
        ),
    )
    return portal_page(
        rx.fragment(),
        page_body(VerificationPage, rx.el.div(title, body, class_name="grid gap-10"), loading=_loading()),
        active="account",
    )


def _loading() -> rx.Component:
    back = link(_("Account"), href=path_for("/account"))
    return rx.el.div(page_title(_("Identity check"), back=back), skeleton(6), class_name="grid gap-10")


def _standing() -> rx.Component:
    tone = rx.match(VerificationPage.status, ("rejected", "problem"), ("verified", "ok"), ("submitted", "info"), "info")
    go_on = rx.cond(
        (VerificationPage.onward != "") & ~VerificationPage.is_open,
        link_button(_("Back to your order"), href=VerificationPage.onward, size="small"),
    )
    story = rx.fragment(
        VerificationPage.story,
        rx.cond(
            VerificationPage.note != "",
            rx.el.span(_("Our team wrote:"), " ", rx.el.q(VerificationPage.note), class_name="mt-2 block"),
        ),
    )
    sent = rx.cond(VerificationPage.sent != "", definition_list([(_("Document sent"), VerificationPage.sent)]))
    return rx.el.div(message(story, tone=tone, action=go_on), sent, class_name="grid gap-5")


def _form() -> rx.Component:
    uploaded = native_form(
        file_uploads(
            VerificationPage.uploading,
            name="upload",
            label=_("Photo or scan of the document"),
            accept=_KINDS,
            error=VerificationPage.error,
        ),
        form_actions(button(_("Send the document"), type="submit")),
        action=VerificationPage.uploading.form_action,
    )
    plain = native_form(
        file_field(_("One file"), name="document", accept=_KINDS, hint=_("At most 5 MB.")),
        form_actions(button(_("Send the document"), type="submit")),
        action=VerificationPage.uploading.form_action,
        enc_type="multipart/form-data",
    )
    folded = rx.el.details(
        rx.el.summary(_("Files do not go through?"), class_name="cursor-pointer text-small text-quiet"),
        rx.el.div(plain, class_name="mt-4"),
        class_name="mt-6",
    )
    kinds = rx.el.ul(
        rx.el.li(_("Residence card or special permanent resident certificate")),
        rx.el.li(_("My Number card, the front only")),
        rx.el.li(_("Driving licence, both sides where the back is written on")),
        rx.el.li(_("Passport issued in Japan")),
        class_name="mb-6 grid list-disc gap-1 pl-5",
    )
    lead = rx.el.p(_("One of these, valid, with the name and the address of your account:"), class_name="mb-3")
    return section(_("Your document"), lead, kinds, uploaded, folded)


def _about() -> rx.Component:
    lines = (
        _("Only people of our team who check identities see the document."),
        _("It is encrypted on its way to them. As soon as they have it, our own copy is deleted."),
        _("Nobody can open or download it from this portal, you included."),
    )
    points = rx.el.ul(*[rx.el.li(line) for line in lines], class_name="grid list-disc gap-1 pl-5")
    ask = rx.el.p(_("Questions?"), " ", link(_("Ask our team"), href=path_for("/support/new")), class_name="mt-4")
    return section(_("What happens with it"), rx.el.div(points, ask, class_name="text-quiet"))
