"""Attack case 3: uploads without a session, too large, disguised, too many, and reads of others' documents."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from psycopg import errors

from portal_app.models.kyc import IdentityFile
from portal_app.wiring.portal import Portal
from tests.attacks.test_row_security import connected
from tests.support.clients.visitor import Visitor, new_customer
from tests.support.values.documents import ARCHIVE_END, pdf, picture

PATH = "/api/me/identity-document"
HOSTILE_NAMES = ["../../etc/passwd.jpg", "x\r\nSet-Cookie: a=b.jpg", "a" * 5000 + ".jpg", "con\0.jpg", "‮gpj.exe.jpg"]


class Stream:
    """A body that counts how much of it was read."""

    def __init__(self, megabytes: int) -> None:
        self.read, self._left = 0, megabytes * 1024 * 1024
        self.boundary = uuid4().hex

    async def __aiter__(self) -> AsyncIterator[bytes]:
        head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="document"; filename="a.jpg"\r\n\r\n'
        yield head.encode()
        while self.read < self._left:
            self.read += 65536
            yield b"\xff" * 65536


async def send(visitor: Visitor, content: bytes, name: str = "card.jpg", **headers: str) -> httpx.Response:
    """Send a file as a program does."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return await visitor.http.post(PATH, files={"document": (name, content)}, headers=named)


async def pour(visitor: Visitor, stream: Stream, **headers: str) -> httpx.Response:
    """Send a stream without a Content-Length, unless one is given."""
    kind = {"Content-Type": f"multipart/form-data; boundary={stream.boundary}"}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return await visitor.http.post(PATH, content=stream.__aiter__(), headers=kind | named)


@pytest.fixture
async def mallory(portal: Portal, worker: Portal) -> AsyncIterator[Visitor]:
    """Somebody signed in, with an account of this test's own."""
    somebody = Visitor(portal.settings)
    yield await somebody.sign_in(await new_customer(worker))
    await somebody.http.aclose()


async def test_strangers_and_other_sites_are_refused_before_anything_is_read(
    visitor: Visitor, mallory: Visitor
) -> None:
    stream = Stream(60)
    assert (await pour(visitor, stream)).status_code == 401
    forged = Visitor(mallory.settings)
    forged.set_cookie("access", mallory.cookie("access")[:-4] + "AAAA")
    assert (await pour(forged, stream)).status_code == 401
    await forged.http.aclose()
    assert (await pour(mallory, stream, Origin="https://evil.example")).status_code == 403
    assert stream.read == 0


async def test_sixty_megabytes_are_refused_early(mallory: Visitor) -> None:
    announced, unannounced = Stream(60), Stream(60)
    answer = await pour(mallory, announced, Content_Length=str(60 * 1024 * 1024))
    assert (answer.status_code, announced.read) == (413, 0)
    assert (await pour(mallory, unannounced)).status_code == 413
    assert unannounced.read < 6 * 1024 * 1024


@pytest.mark.parametrize("content", [picture() + pdf(), picture("PNG") + ARCHIVE_END, b"<svg onload=alert(1)>", b"\0"])
async def test_polyglots_and_disguises_leave_nothing(mallory: Visitor, worker: Portal, content: bytes) -> None:
    answer = await send(mallory, content)
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"document"})
    assert (await mallory.get(PATH)).json()["status"] == "not_submitted"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_hostile_names_are_used_for_nothing(mallory: Visitor, worker: Portal, name: str) -> None:
    answer = await send(mallory, picture(), name)
    assert answer.status_code in (202, 400, 422)
    assert "etc" not in answer.text and "set-cookie" not in answer.headers


async def test_thousands_of_files_end_at_the_limit_unread(mallory: Visitor, portal: Portal) -> None:
    most = int(portal.settings.portal_document_limit.partition("/")[0])
    statuses = {(await send(mallory, b"x")).status_code for _ in range(most)}
    stream = Stream(5)
    answer = await pour(mallory, stream)
    assert (statuses, answer.status_code, stream.read) == ({422}, 429, 0)
    assert int(answer.headers["retry-after"]) > 0


async def test_nobody_reads_a_document_back(mallory: Visitor, aiko: Visitor, worker: Portal) -> None:
    assert (await send(mallory, picture())).status_code == 202
    owner = worker.identity.sessions.read_access_token(mallory.cookie("access")).user_id
    async with worker.database.unit_of_work() as session:
        row = await session.get(IdentityFile, await document_of(worker, owner))
        assert row is not None
    for path in (f"{PATH}/{row.document_id}", f"{PATH}/{owner}", f"/api/files/{row.document_id}"):
        for somebody in (mallory, aiko):
            assert (await somebody.get(path)).status_code == 404
    assert (await aiko.get(PATH)).json()["status"] == "not_submitted"
    for customer in (owner, uuid4()):
        with connected("web", customer=customer) as web, pytest.raises(errors.InsufficientPrivilege):
            web.execute("SELECT content FROM identity_files")


async def document_of(worker: Portal, user_id: object) -> object:
    """Return the id of a customer's document."""
    with connected("worker") as all_seeing:
        query = "SELECT document_id FROM identity_checks WHERE user_id = %s"
        return all_seeing.execute(query, (user_id,)).fetchone()[0]
