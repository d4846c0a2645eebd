"""Announcements: what operators may write, and whom they concern."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.status.announcement import Announcement, NewAnnouncement, Words

AT = datetime(2026, 12, 1, tzinfo=UTC)
WORDS = {"en": Words("Down", "It is."), "ja": Words("障害", "発生中です。")}
GOOD = {"kind": "outage", "words": WORDS, "services": "", "areas": "", "begins_at": AT, "until": None}


def test_services_and_areas_are_read_as_people_write_them() -> None:
    new = NewAnnouncement.parse(**GOOD | {"services": " internet,sim ,internet", "areas": "tokyo、大阪府"})
    assert (new.services, new.areas) == (("internet", "sim"), ("東京都", "大阪府"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "party"}, "kind"),
        ({"services": "internet,tv"}, "services"),
        ({"areas": "Tokyo,Atlantis"}, "areas"),
        ({"until": AT}, "until"),
        ({"words": {"en": WORDS["en"]}}, "words ja"),
        ({"words": WORDS | {"en": Words(" ", "x")}}, "words en"),
        ({"words": WORDS | {"en": Words("x" * 121, "x")}}, "words en"),
    ],
)
def test_what_cannot_be_shown_is_refused(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        NewAnnouncement.parse(**GOOD | wrong)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("services", "areas", "categories", "prefecture", "is_concerned"),
    [
        ((), (), (), "", True),
        (("internet",), (), ("internet",), "東京都", True),
        (("internet",), (), ("sim", "vpn"), "東京都", False),
        (("portal",), (), (), "", True),
        (("internet",), ("東京都",), ("internet",), "大阪府", False),
        (("internet",), ("東京都",), ("internet",), "東京都", True),
        (("internet",), ("東京都",), ("internet",), "", True),
        ((), ("東京都",), (), "大阪府", False),
    ],
)
def test_it_concerns_who_has_the_service_in_the_area(
    services: tuple[str, ...], areas: tuple[str, ...], categories: tuple[str, ...], prefecture: str, is_concerned: bool
) -> None:
    announcement = Announcement(uuid4(), "outage", WORDS, services, areas, AT, None, None)
    assert announcement.is_for(categories, prefecture) == is_concerned


def test_its_stage_follows_its_times() -> None:
    announcement = Announcement(uuid4(), "maintenance", WORDS, (), (), AT, AT + timedelta(hours=1), None)
    later = AT + timedelta(days=1)
    # An end that was only expected ends nothing.
    assert [announcement.stage(at) for at in (AT - timedelta(1), AT, later)] == ["planned", "current", "current"]
