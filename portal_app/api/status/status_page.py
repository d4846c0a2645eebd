"""What the status page shows: each part, what is announced, and the last 90 days."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from portal_app.api.public.page_template import Filled, Row
from portal_app.api.public.visit import Visit
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.domain.status.announcement import Announcement, Stage
from portal_app.domain.status.part import Part, PartName, PartState
from portal_app.infra.clock import now
from portal_app.language import Language, _
from portal_app.language.format import listed, time
from portal_app.wiring.portal import portal

_PARTS: dict[PartName, str] = {
    "account": "Sign-in and this portal",
    "billing": "Invoices, payments and services",
    "orders": "Orders, plans and questions to our team",
    "sim": "Usage and changes of SIM lines",
}
_STATES: dict[PartState, tuple[str, str]] = {
    "works": ("Working", "ok"),
    "unsure": ("Did not answer a moment ago", "attention"),
    "away": ("Not available right now", "problem"),
}
_SERVICES = {
    "internet": "Internet",
    "sim": "SIM",
    "vpn": "VPN",
    "billing": "Invoices and payments",
    "portal": "This portal",
}
_KINDS = {"outage": "Outage", "maintenance": "Maintenance"}
_STAGES: tuple[Stage, ...] = ("current", "planned", "over")


async def status_page(visit: Visit) -> Filled:
    """Return what the page shows."""
    status = portal().status
    announced, parts = await asyncio.gather(status.announcements.announced(), status.parts.states())
    at = now()
    by_stage = {stage: [item for item in announced.items if item.stage(at) == stage] for stage in _STAGES}
    followed = visit.query.get("followed", "")
    row: dict[str, str | Sequence[Row]] = {
        "part": [_part(part) for part in parts],
        "all-well": [{}] if _is_well(parts) and not by_stage["current"] and announced.is_fresh else [],
        "trouble": [] if _is_well(parts) and not by_stage["current"] else [{}],
        "saved": [] if announced.is_fresh or announced.read_at is None else [{"time": time(announced.read_at)}],
        "unknown": [] if announced.read_at else [{}],
        "at": time(at),
        "follows": [{}] if followed == "yes" else [],
        "follows-no-more": [{}] if followed == "no" else [],
    }
    for stage in _STAGES:
        shown = [_announcement(item, visit.language, stage) for item in by_stage[stage]]
        row[stage] = [{"item": shown}] if shown else []
    row["quiet"] = [] if by_stage["over"] or not announced.read_at else [{}]
    # Another minute, another page: nothing is gained by keeping it.
    return Filled(row, is_kept=False)


def announcement_areas(item: Announcement, language: Language) -> str:
    """Return where an announcement holds, in a language; empty for all of Japan."""
    return "、".join(item.areas) if language == "ja" else ", ".join(ROMANISED.get(area, area) for area in item.areas)


def _is_well(parts: Sequence[Part]) -> bool:
    return all(part.state == "works" for part in parts)


def _part(part: Part) -> Row:
    words, tone = _STATES[part.state]
    return {"name": _(_PARTS[part.name]), "words": _(words), "tone": tone}


def _announcement(item: Announcement, language: Language, stage: Stage) -> Row:
    words, areas = item.in_language(language), announcement_areas(item, language)
    return {
        "id": str(item.id),
        "kind": _(_KINDS[item.kind]),
        "tone": "problem" if item.kind == "outage" else "attention",
        "title": words.title,
        "text": words.text,
        "services": [{"names": _list(item.services)}] if item.services else [],
        "areas": [{"names": areas}] if areas else [],
        "begin": (_("Begins {time}") if stage == "planned" else _("Began {time}")).format(time=time(item.begins_at)),
        "until": [{"time": time(item.until)}] if item.until and not item.ended_at else [],
        "end": _moment(item.ended_at),
        "update": [{"at": time(each.at), "text": each.text.get(language, "")} for each in reversed(item.updates)],
    }


def _moment(moment: datetime | None) -> Sequence[Row]:
    return [{"time": time(moment)}] if moment else []


def _list(services: Sequence[str]) -> str:
    return listed(_(_SERVICES.get(name, name)) for name in services)
