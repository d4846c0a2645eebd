"""What the contact pages show: ways to reach us, and a form with what was wrong with it."""

from collections.abc import Sequence

from portal_app.api.http.responses import GENERAL
from portal_app.api.public.page_template import Filled, Row
from portal_app.api.public.visit import Visit
from portal_app.domain.support.case import CATEGORIES
from portal_app.language import _
from portal_app.wiring.portal import portal

_FIELDS = ("name", "email", "category", "subject", "text", "code")


async def contact_page(visit: Visit) -> Filled:
    """Return what a contact page shows."""
    settings = portal().settings
    phone = settings.portal_support_phone
    is_sent = visit.query.get("sent") == "yes"
    told = await portal().flash_messages.read(visit.query.get("flash", ""))
    row: dict[str, str | Sequence[Row]] = {
        "hours": _("Monday to Friday, {opens} to {closes} (Japan time), except public holidays").format(
            opens=f"{settings.portal_support_opens:%H:%M}", closes=f"{settings.portal_support_closes:%H:%M}"
        ),
        "phone": [{"number": phone, "dialled": "".join(filter(_is_dialled, phone))}] if phone else [],
        "sent": [{}] if is_sent else [],
        "asking": [] if is_sent else [{}],
        "problem": [{"words": told[GENERAL]}] if GENERAL in told else [],
        "support_email": settings.portal_support_email,
    }
    for field in _FIELDS:
        row[f"typed {field}"] = told.get(f"typed:{field}", "")
        row[f"wrong {field}"] = [{"words": told[field]}] if field in told else []
    chosen = told.get("typed:category", "")
    for category in ("", *CATEGORIES):
        # An option is chosen by the presence of an attribute: each stands in the page with and without it.
        row[f"chosen {category or 'none'}"] = [{}] if category == chosen else []
        row[f"other {category or 'none'}"] = [] if category == chosen else [{}]
    return Filled(row, is_kept=not visit.query)


def _is_dialled(letter: str) -> bool:
    return letter.isascii() and (letter.isdigit() or letter == "+")
