"""Calls and SMS of a SIM line by month."""

import reflex as rx

from portal_app.components.button import button
from portal_app.components.condition import has, when
from portal_app.components.definition import definition
from portal_app.components.field import select_field
from portal_app.components.link import link
from portal_app.components.section import page_title, section
from portal_app.components.states import empty_state, table_skeleton
from portal_app.components.table import Column, data_table
from portal_app.language import _, path_for
from portal_app.pages.shell.frame import page_body, portal_page
from portal_app.pages.shell.page import page
from portal_app.state.calls.calls import CallsPage


@page("/subscriptions/[service_id]/calls", title="Calls and SMS", load=CallsPage.load)
def calls() -> rx.Component:
    back = link(_("Back to the service"), href=CallsPage.back)
    title = page_title(_("Calls and SMS"), lead=CallsPage.name, back=back)
    body = rx.fragment(title, rx.cond(CallsPage.locked, _locked(), _month()))
    above = link(_("All services"), href=path_for("/subscriptions"))
    loading = rx.el.div(page_title(_("Calls and SMS"), back=above), table_skeleton(), class_name="grid gap-10")
    return portal_page(rx.fragment(), page_body(CallsPage, body, loading=loading), active="services")


def _locked() -> rx.Component:
    return empty_state(
        _("Only you may see them"),
        text=_("Whom you called and when is a secret of yours, so confirm that it is you first."),
        action=button(_("Show calls and SMS"), on_click=CallsPage.unlock),
    )


def _month() -> rx.Component:
    none = empty_state(
        _("No calls and SMS here yet"),
        text=_("They come from the carrier, some days or weeks after a call."),
    )
    return rx.cond(CallsPage.months.length() > 0, rx.el.div(_choice(), _list(), class_name="grid gap-8"), none)


def _choice() -> rx.Component:
    chosen = select_field(
        _("Month"), CallsPage.months, name="month", value=CallsPage.chosen, on_change=CallsPage.choose_month
    )
    sums = rx.el.dl(
        definition(_("Calls"), CallsPage.calls),
        definition(_("SMS"), CallsPage.sms),
        when(has(CallsPage.charge), definition(_("Charges told by the carrier"), CallsPage.charge)),
        class_name="divide-y divide-line border-y border-line",
    )
    return rx.el.div(chosen, sums, class_name="grid max-w-md gap-5")


def _list() -> rx.Component:
    table = data_table(
        CallsPage.rows,
        columns=[
            Column(_("Begin"), lambda row: row.at),
            Column(_("Kind"), lambda row: row.kind),
            Column(_("Number"), lambda row: row.number),
            Column(_("Length"), lambda row: row.took, align="end"),
            Column(_("Charge"), lambda row: row.charge, align="end"),
        ],
        caption=_("Calls and SMS of the month, newest first"),
    )
    files = rx.el.div(
        button(_("Download as CSV"), variant="secondary", size="small", on_click=CallsPage.download),
        button(_("Download with whole numbers"), variant="quiet", size="small", on_click=CallsPage.download_whole),
        class_name="mt-6 flex flex-wrap gap-3",
    )
    notes = rx.el.p(
        _("The last four digits of numbers are hidden here. Your invoice decides what is charged. Kept for:"),
        " ",
        CallsPage.kept,
        class_name="mt-4 max-w-prose text-small text-quiet",
    )
    more = when(has(CallsPage.more), rx.el.p(CallsPage.more, class_name="mt-4 text-quiet"))
    return section(_("The month's list"), table, more, files, notes)
