"""Status: announced in both languages, readable while the database is away, told once to those who asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.status.announcement import NewAnnouncement, Words
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.client import connect
from portal_app.models.email_outbox import Mail
from portal_app.services.status.announcements import Announced, Announcements
from portal_app.wiring.portal import Portal
from tests.support.clients.public_site import PublicSite, public_site
from tests.support.clients.visitor import Visitor
from tests.support.running.world import BEN, world


@pytest.fixture
def site(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicSite]:
    with public_site(portal.settings, tmp_path, monkeypatch) as site:
        yield site


async def announced(worker: Portal, title: str, **other: object) -> UUID:
    new = {
        "kind": "outage",
        "words": {"en": Words(title, f"{title} <b>en</b>"), "ja": Words(title, f"{title} 障害")},
        "services": "internet",
        "areas": "Tokyo",
        "begins_at": datetime.now(UTC) - timedelta(minutes=5),
        "until": None,
    }
    return await worker.status.publishing.publish(NewAnnouncement.parse(**new | other))


def fresh(portal: Portal) -> None:
    """Let the next page read announcements again."""
    portal.status.announcements._looked_at = None


async def test_an_announcement_is_on_the_page_in_both_languages_until_it_is_over(
    site: PublicSite, portal: Portal, worker: Portal
) -> None:
    title = f"Cut {uuid4().hex}"
    known = await announced(worker, title)
    await worker.status.publishing.update(known, {"en": "A crew is there.", "ja": "作業中です。"})
    fresh(portal)
    english, japanese = (await site.get("/status")).text, (await site.get("/ja/status")).text
    assert f"<h3>{title}</h3><p>{title} &lt;b&gt;en&lt;/b&gt;</p>" in english and "A crew is there." in english
    assert "東京都" in japanese and "作業中です。" in japanese and f"{title} 障害" in japanese
    assert english.index("current") < english.index(title) and "all well" not in english
    await worker.status.publishing.end(known)
    fresh(portal)
    ended = (await site.get("/status")).text
    assert ended.index("<h2>over") < ended.index(title)
    with pytest.raises(Conflict):
        await worker.status.publishing.end(known)
    with pytest.raises(NotFound):
        await worker.status.publishing.update(uuid4(), {"en": "x", "ja": "x"})


async def test_a_new_process_shows_the_last_known_while_the_database_or_redis_is_away(
    site: PublicSite, portal: Portal, worker: Portal
) -> None:
    title = f"Cut {uuid4().hex}"
    await announced(worker, title)
    fresh(portal)
    await site.get("/status")
    away = Database(world().settings_with(database_url="postgresql://portal@127.0.0.1:1/none"), "web")
    started = Announcements(away, portal.redis)
    found = await started.announced()
    assert title in [item.words["en"].title for item in found.items]
    assert not found.is_fresh and found.read_at is not None
    await away.close()
    no_redis = connect("redis://127.0.0.1:1/0", seconds=0.1)
    without_redis = await Announcements(portal.database, no_redis).announced()
    assert without_redis.is_fresh and title in [item.words["en"].title for item in without_redis.items]
    # Neither: then it says that it does not know.
    assert await Announcements(away, no_redis).announced() == Announced()
    await no_redis.aclose()


async def test_what_is_announced_while_the_last_is_read_is_read_again(portal: Portal, worker: Portal) -> None:
    moments: list[datetime] = []

    def clock() -> datetime:
        # The second time of a read is after its rows: then something is announced, and tells so.
        moments.append(now())
        if len(moments) == 2:
            reading.forget()
        return moments[-1]

    reading = Announcements(portal.database, portal.redis, clock=clock)
    await reading.announced()
    title = f"Cut {uuid4().hex}"
    await announced(worker, title)
    assert title in [item.words["en"].title for item in (await reading.announced()).items]


async def test_followers_are_told_once_and_nothing_is_changed_by_a_get(
    ben: Visitor, visitor: Visitor, worker: Portal
) -> None:
    known = await announced(worker, f"Cut {uuid4().hex}")
    for somebody in (ben, visitor):
        for path in (f"/api/status/{known}/follow", f"/api/status/{known}/unfollow"):
            assert (await somebody.get(path)).status_code == 405
    leads = await visitor.submit(f"/api/status/{known}/follow", page="/ja/status")
    assert leads.headers["location"] == "/ja/auth/login?next=/ja/status"
    assert (await visitor.call("POST", f"/api/status/{known}/follow")).status_code == 401
    for _ in range(2):
        followed = await ben.submit(f"/api/status/{known}/follow", page="/status")
        assert followed.headers["location"] == "/status?followed=yes"
    assert (await ben.call("POST", f"/api/status/{uuid4()}/follow")).status_code == 404
    assert await worker.status.publishing.end(known, {"en": "Done.", "ja": "終了。"}) == 1
    told = [await worker.status.publishing.tell_some(known) for _ in range(3)]
    assert told == [1, 0, 0]
    async with worker.database.unit_of_work() as session:
        mails = (await session.exec(select(Mail).where(Mail.template == "incident_over"))).all()
    assert [mail.recipient for mail in mails if "Done." in mail.content or "終了" in mail.content] == [BEN]
    assert (await ben.call("POST", f"/api/status/{known}/follow")).status_code == 404
    assert (await ben.submit(f"/api/status/{known}/follow", page="/status")).headers["location"] == "/status"
