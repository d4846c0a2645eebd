"""Finding out who has an account by what the portal does: the same hashing and the same jobs for known and unknown."""

from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import bcrypt
import httpx
import pytest
import sqlalchemy as sa

from portal_app.wiring.portal import Portal
from tests.attacks.test_enumeration import looks_of
from tests.support.clients.visitor import Visitor, instead_of, new_account
from tests.support.running.world import world

JOBS = sa.text("SELECT name, count(*) FROM dbos.workflow_status GROUP BY name")
Send = Callable[[Visitor, str], Awaitable[httpx.Response]]
QUESTIONS: dict[str, Send] = {
    "sign in": lambda v, email: v.submit("/api/auth/login", email=email, password="wrong horse battery"),
    "sign up": lambda v, email: v.submit("/api/auth/signup", email=email),
    "reset": lambda v, email: v.submit("/api/auth/forgot", email=email),
    "move": lambda v, email: v.submit("/api/auth/migrate", email=email),
    "contact": lambda v, email: v.submit(
        "/api/contact", name="Somebody", email=email, category="sim", subject="Hello", text="A question."
    ),
}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Note the cost of every password that bcrypt checks; bcrypt itself goes on working."""
    costs: list[bytes] = []
    check = bcrypt.checkpw

    def noting(password: bytes, against: bytes) -> bool:
        costs.append(against[:7])
        return check(password, against)

    monkeypatch.setattr(bcrypt, "checkpw", noting)
    yield costs


async def work_of(worker: Portal, done: Awaitable[httpx.Response]) -> tuple[httpx.Response, dict[str, int], list[int]]:
    """Return an answer, the jobs it enqueued by name, and the rows it wrote by table."""
    before_jobs, before_rows = await counts(worker)
    answer = await done
    jobs, rows = await counts(worker)
    new = {name: count - before_jobs.get(name, 0) for name, count in jobs.items() if count != before_jobs.get(name, 0)}
    return answer, new, [now - then for now, then in zip(rows, before_rows, strict=True)]


async def counts(worker: Portal) -> tuple[dict[str, int], list[int]]:
    async with worker.database.unit_of_work() as session:
        connection = await session.connection()
        jobs = {row[0]: row[1] for row in await connection.execute(JOBS)}
    async with worker.database.identity() as session:
        connection = await session.connection()
        # The worker counts mails, identity its own tables.
        tables = [
            await connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for table in ("audit", "entry_tokens", "sign_ups", "sign_in_tries", "sessions")
        ]
    return jobs, [int(count or 0) for count in tables]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_known_and_unknown_addresses_are_the_same_work_and_answer(
    portal: Portal, worker: Portal, hashed: list[bytes], question: str
) -> None:
    # The second failure locks the address; only an owner gets the mail.
    async with instead_of(portal, world().settings_with(portal_lock_tries=2, portal_lock_seconds=1)) as strict:
        known = await new_account(portal)
        unknown = f"{uuid4().hex}@example.jp"
        seen = []
        for email in (known, unknown):
            hashed.clear()
            visitor = Visitor(strict.settings)
            steps = []
            for _ in range(2):
                answer, jobs, rows = await work_of(worker, QUESTIONS[question](visitor, email))
                steps.append((looks_of(answer), await words_of(strict, answer), jobs, rows))
            seen.append((steps, list(hashed)))
        assert seen[0] == seen[1]
        assert seen[0][0][-1][2] == {"send_mail": 1}
        assert bool(seen[0][1]) == (question == "sign in")


async def words_of(portal: Portal, answer: httpx.Response) -> dict[str, str]:
    """Return what the next page will say, without what was typed."""
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    flash = await portal.flash_messages.read(query["flash"][0]) if "flash" in query else {}
    return {name: text for name, text in flash.items() if not name.startswith("typed:")}
