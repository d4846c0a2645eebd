"""Attack case 3: uploads without a session, too large, disguised, too many, and reads of others' documents."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from psycopg import errors

from portal_app.wiring.portal import Portal
from tests.attacks.test_row_security import connected
from tests.support.clients.case_files import TUS
from tests.support.clients.kyc_customer import Hana, hana
from tests.support.clients.visitor import Visitor, new_customer
from tests.support.values.documents import ARCHIVE_END, pdf, picture

__all__ = ["hana"]

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
async def test_polyglots_and_disguises_leave_nothing(hana: Hana, content: bytes) -> None:
    assert (await hana.send(content)).status_code == 202
    assert await hana.refuse()
    assert (await hana.check())["status"] == "not_submitted"
    assert (await hana.parts(), await hana.files()) == ([], [])


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_hostile_names_are_used_for_nothing(mallory: Visitor, worker: Portal, name: str) -> None:
    answer = await send(mallory, picture(), name)
    assert answer.status_code in (202, 400, 422)
    assert "etc" not in answer.text and "set-cookie" not in answer.headers


async def test_a_form_that_is_cut_leaves_nothing(mallory: Visitor, worker: Portal) -> None:
    broken = [b'--x\r\nContent-Disposition: form-data; name="document"; filename="a.jpg"\r\n\r\n' + picture()]
    broken += [b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"no form at all", b""]
    for body in broken:
        answer = await mallory.http.post(
            PATH, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert answer.status_code in (400, 422)
    many = {f"field{number}": "x" for number in range(20)}
    assert (await mallory.http.post(PATH, data=many, files={"document": ("a.jpg", picture())})).status_code == 400
    two = [("document", ("a.jpg", picture())), ("document", ("b.jpg", picture()))]
    assert (await mallory.http.post(PATH, files=two)).status_code == 400
    owner = worker.identity.sessions.read_access_token(mallory.cookie("access")).user_id
    with connected("worker") as all_seeing:
        assert all_seeing.execute("SELECT count(*) FROM upload_parts WHERE user_id = %s", (owner,)).fetchone() == (0,)
    assert (await mallory.get(PATH)).json()["status"] == "not_submitted"


async def test_thousands_of_files_end_at_the_limit_unread(mallory: Visitor, portal: Portal) -> None:
    most = int(portal.settings.portal_document_limit.partition("/")[0])
    statuses = {(await send(mallory, b"")).status_code for _ in range(most)}
    stream = Stream(5)
    answer = await pour(mallory, stream)
    assert (statuses, answer.status_code, stream.read) == ({422}, 429, 0)
    assert int(answer.headers["retry-after"]) > 0


async def test_nobody_reads_a_document_back(mallory: Visitor, aiko: Visitor, worker: Portal) -> None:
    assert (await send(mallory, picture())).status_code == 202
    owner = worker.identity.sessions.read_access_token(mallory.cookie("access")).user_id
    document = await document_of(worker, owner)
    for path in (f"{PATH}/{document}", f"{PATH}/{owner}", f"/api/files/{document}"):
        for somebody in (mallory, aiko):
            assert (await somebody.get(path)).status_code == 404
    # tus has no GET of a file; nobody else learns that it is there.
    assert (await mallory.get(f"/api/uploads/{document}")).status_code == 405
    assert (await aiko.http.head(f"/api/uploads/{document}", headers=TUS)).status_code == 404
    assert (await aiko.get(PATH)).json()["status"] == "not_submitted"
    for customer in (owner, uuid4()):
        with connected("web", customer=customer) as web, pytest.raises(errors.InsufficientPrivilege):
            web.execute("SELECT content FROM upload_parts")


async def document_of(worker: Portal, user_id: object) -> object:
    """Return the id of a customer's document."""
    with connected("worker") as all_seeing:
        query = "SELECT document_id FROM identity_checks WHERE user_id = %s"
        return all_seeing.execute(query, (user_id,)).fetchone()[0]
