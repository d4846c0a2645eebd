"""The chosen options in a customer's words; numbers that identify a phone or a person are shortened."""

from portal_app.domain.checkout.installation import PAYMENTS
from portal_app.domain.checkout.options import AccessMode, InternetOptions, Options, SimOptions
from portal_app.language import _
from portal_app.language.format import day, listed, person


def option_words(options: Options | None) -> list[tuple[str, str]]:
    """Return (label, words) of every option."""
    if isinstance(options, SimOptions):
        return _sim(options)
    return _internet(options) if isinstance(options, InternetOptions) else []


_MODES: dict[AccessMode, str] = {
    "ipoe_home_gateway": "IPoE with home gateway",
    "ipoe_own_router": "IPoE with your own router",
    "pppoe": "PPPoE",
}


def _internet(options: InternetOptions) -> list[tuple[str, str]]:
    count = PAYMENTS[options.installation]
    paid = _("{count} monthly payments").format(count=count) if count > 1 else _("One payment")
    rows = [(_("Line"), options.offering), (_("Connection"), _(_MODES[options.access_mode])), (_("Installation"), paid)]
    if options.weekend:
        rows.append((_("Technician"), _("On a Saturday, Sunday or holiday")))
    if options.home_phone:
        rows.append((_("Home phone"), _("Hikari Denwa")))
    if options.switch_number:
        rows.append(
            (_("Switched over"), _("Approval number ending in {digits}").format(digits=options.switch_number[-4:]))
        )
    return rows


def _sim(options: SimOptions) -> list[tuple[str, str]]:
    esim = _("eSIM, EID ending in {digits}").format(digits=options.eid[-4:])
    start = day(options.activate_on) if options.activate_on else _("As soon as the order is approved")
    rows = [
        (_("SIM"), esim if options.sim_type == "esim" else _("SIM card, sent to your address")),
        (_("Starts"), start),
    ]
    if options.has_voice:
        kept = _("You keep the number ending in {digits}").format(digits=options.number[-4:])
        rows.append((_("Number"), kept if options.number else _("A new number")))
    if options.holder:
        rows.append((_("Registered to"), person(f"{options.holder.first_name} {options.holder.last_name}")))
    extras = [(_("Voice mail"), options.voice_mail), (_("Call waiting"), options.call_waiting)]
    if chosen := [words for words, is_wanted in extras if is_wanted]:
        rows.append((_("Options"), listed(chosen)))
    return rows
