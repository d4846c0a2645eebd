"""The terms of service that an order accepts."""

import reflex as rx

from portal_app.components.frame import public_frame
from portal_app.components.section import page_title, section
from portal_app.components.static_pages import static_page
from portal_app.language import _
from portal_app.pages.shell.page import page


@page("/terms", title="Terms of service", is_static=True)
def terms() -> rx.Component:
    parts = [
        (
            _("What you order"),
            _("An order is an offer to buy the plan and options shown at checkout, at the prices shown there."),
            _("The contract begins when our team accepts the order; you see that on the order's page and by mail."),
        ),
        (
            _("What you pay"),
            _("Monthly fees are charged in advance to your stored payment method, fees for setting up once."),
            _("Prices are shown with and without consumption tax. Tax is rounded down once per bill."),
        ),
        (
            _("Who you are"),
            _("For voice lines the law obliges us to check your identity before the line is opened."),
            _("We pass your data on only to the carriers that run your line, and only what they need for it."),
        ),
        (
            _("How you end it"),
            _("Within eight days of receiving the contract document you may end an internet or SIM contract freely."),
            _("After that a service ends at the end of a month; the service's page says which."),
        ),
    ]
    texts = [
        section(title, *[rx.el.p(text, class_name="mb-3 max-w-prose") for text in lines]) for title, *lines in parts
    ]
    return static_page(
        public_frame(page_title(_("Terms of service"), lead=_("In force since 1 November 2026.")), *texts)
    )
