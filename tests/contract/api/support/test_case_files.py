"""Files of support cases, both ways: each stored once with its message, agents' files shown and handed out whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from portal_app.domain.errors import ExternalUnavailable, OutcomeUnknown
from portal_app.domain.profile.customer import Customer
from portal_app.models.support import CaseRow
from portal_app.wiring.portal import Portal
from tests.support.clients.case_files import (
    add_file,
    begin,
    case_at_salesforce,
    check,
    deliver,
    entries,
    open_case,
    patch,
    upload,
)
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world
from tests.support.values.documents import pdf

JAPANESE = "再発行のお願い（至急）.pdf"
LARGE = hashlib.sha256(b"x").digest() * 8192 * 3


@pytest.fixture
async def back_office() -> AsyncIterator[httpx.AsyncClient]:
    """The back office, where an agent works."""
    async with httpx.AsyncClient(base_url=f"{world().office}/api", timeout=20) as client:
        yield client


async def faults(office: httpx.AsyncClient, **settings: Any) -> None:
    (await office.post("/faults/salesforce", json=settings)).raise_for_status()


def with_place() -> bytes:
    """Return a photo whose file tells where it was taken."""
    image, written = Image.new("RGB", (64, 48), "red"), BytesIO()
    exif = image.getexif()
    exif[0x010E] = "35.6895N 139.6917E"
    image.save(written, "JPEG", exif=exif)
    return written.getvalue()


async def test_files_go_with_their_message_under_their_names_and_without_their_place(
    ben: Visitor, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    photo, letter = await upload(ben, with_place(), "写真.HEIC"), await upload(ben, pdf(), JAPANESE)
    case_id = await open_case(ben, [photo, letter])
    with pytest.raises(ExternalUnavailable, match="being checked"):
        await deliver(worker, case_id)
    for each in (photo, letter):
        assert (await check(worker, each)).state == "checked"
    sf_case_id = await deliver(worker, case_id)
    stored = (await case_at_salesforce(back_office, sf_case_id))["files"]
    assert [file["PathOnClient"] for file in stored] == ["写真.jpg", JAPANESE]
    assert [file["Description"] for file in stored] == [f"portal:{photo}", f"portal:{letter}"]
    (opening,) = await entries(ben, case_id)
    assert [(file["name"], file["state"]) for file in opening["files"]] == [("写真.jpg", "sent"), (JAPANESE, "sent")]
    content = (await ben.get(f"/api/cases/{case_id}/files/{opening['files'][0]['id']}")).content
    assert b"35.6895N" not in content and Image.open(BytesIO(content)).format == "JPEG"
    async with worker.database.unit_of_work() as session:
        connection = await session.connection()
        left = await connection.exec_driver_sql(f"SELECT count(*) FROM upload_parts WHERE upload_id = '{photo}'")
        assert left.scalar_one() == 0


async def test_a_lost_answer_stores_a_file_once(ben: Visitor, worker: Portal, back_office: httpx.AsyncClient) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    file = await upload(ben, b"once\n" * 200_000, "log.txt")
    await check(worker, file)
    path = f"/api/cases/{case_id}/comments"
    assert (await ben.call("POST", path, {"text": "With a file", "uploads": [file]})).status_code == 201
    assert (await ben.call("POST", path, {"text": "Again", "uploads": [file]})).status_code == 409
    # The answer is lost; then it arrived, and what is read back does not.
    for lost in ({"lose_answers": 1, "operations": ["create:ContentVersion"]}, {"down": True, "operations": ["query"]}):
        await faults(back_office, **lost)
        with pytest.raises((OutcomeUnknown, ExternalUnavailable)):
            await deliver(worker, case_id)
    # Nobody tells the id of this comment either: its file stands beside it all the same.
    await faults(back_office, lose_answers=1, operations=["composite"])
    with pytest.raises(OutcomeUnknown):
        await deliver(worker, case_id)
    await deliver(worker, case_id)
    found = await case_at_salesforce(back_office, sf_case_id)
    assert [(each["ContentSize"], each["Checksum"]) for each in found["files"]] == [
        (1_000_000, hashlib.md5(b"once\n" * 200_000).hexdigest())
    ]
    assert [each["CommentBody"] for each in found["comments"]] == ["With a file"]
    shown = [entry for entry in await entries(ben, case_id) if entry["files"]]
    assert [(entry["text"], entry["files"][0]["name"]) for entry in shown] == [("With a file", "log.txt")]


async def test_a_message_that_is_taken_back_gives_its_files_back_to_the_draft(ben: Visitor, worker: Portal) -> None:
    case_id = await open_case(ben)
    file = await upload(ben, b"text")
    await check(worker, file)
    path = f"/api/cases/{case_id}/comments"
    taken = (await ben.call("POST", path, {"text": "Too quick", "uploads": [file]})).json()["id"]
    shown = (await entries(ben, case_id))[-1]["files"]
    assert [(each["name"], each["state"], each["id"]) for each in shown] == [("a.txt", "checked", "")]
    assert (await ben.call("DELETE", f"{path}/{taken}")).status_code == 200
    listed = (await ben.get(f"/api/uploads?draft={case_id}")).json()["items"]
    assert [(each["id"], each["state"]) for each in listed] == [(file, "checked")]


async def test_a_file_of_a_bad_kind_is_refused_and_told(ben: Visitor, worker: Portal) -> None:
    file = await upload(ben, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.png")
    row = await check(worker, file)
    assert (row.state, row.refusal) == ("refused", "markup")
    new = {"category": "other", "subject": "x", "text": "x", "uploads": [file]}
    assert (await ben.call("POST", "/api/cases", new)).status_code == 409


async def test_agents_files_are_shown_beside_their_message_and_hidden_ones_nowhere(
    ben: Visitor, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    shown = await add_file(back_office, sf_case_id, LARGE, JAPANESE)
    hidden = await add_file(back_office, sf_case_id, b"internal", "internal.txt", public=False)
    mail = {"text": "See the map", "to": ben.email}
    mail_id = (await back_office.post(f"/support/{sf_case_id}/mail", json=mail)).json()["id"]
    await add_file(back_office, sf_case_id, b"<svg onload='alert(1)'/>", "map.svg", mail=mail_id)
    other = {"text": "Not for Ben", "to": "partner@example.jp"}
    other_id = (await back_office.post(f"/support/{sf_case_id}/mail", json=other)).json()["id"]
    elsewhere = await add_file(back_office, sf_case_id, b"partner", "partner.txt", mail=other_id)
    await worker.support.changes.apply([sf_case_id])
    files = {entry["kind"]: entry["files"] for entry in await entries(ben, case_id) if entry["files"]}
    assert {kind: [(file["name"], file["size"]) for file in listed] for kind, listed in files.items()} == {
        "file": [(JAPANESE, len(LARGE))], "mail": [("map.svg", 24)],
    }  # fmt: skip
    answer = await ben.get(f"/api/cases/{case_id}/files/{shown}")
    assert (answer.status_code, answer.content == LARGE) == (200, True)
    told = answer.headers
    assert told["content-disposition"].endswith(
        "filename*=UTF-8''%E5%86%8D%E7%99%BA%E8%A1%8C%E3%81%AE%E3%81%8A%E9%A1%98%E3%81%84"
        "%EF%BC%88%E8%87%B3%E6%80%A5%EF%BC%89.pdf"
    )
    assert (told["content-type"], told["x-content-type-options"]) == ("application/octet-stream", "nosniff")
    assert (told["cache-control"], told["cross-origin-resource-policy"]) == ("no-store", "same-origin")
    assert "sandbox" in told["content-security-policy"] and told["content-length"] == str(len(LARGE))
    # Not asked of Salesforce again: a slow reader reads the copy.
    await faults(back_office, down=True)
    assert (await ben.get(f"/api/cases/{case_id}/files/{shown}")).content == LARGE
    await faults(back_office)
    for unseen in (hidden, elsewhere, "069000000000001AAA", "1"):
        assert (await ben.get(f"/api/cases/{case_id}/files/{unseen}")).status_code == 404
    assert "internal.txt" not in str((await ben.get(f"/api/cases/{case_id}")).json())


async def test_another_customers_file_and_a_cut_one_are_not_handed_out(
    ben: Visitor, aiko: Visitor, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    case_id, foreign_case = await open_case(ben), await open_case(aiko)
    sf_case_id = await deliver(worker, case_id)
    document = await add_file(back_office, sf_case_id, LARGE, "a.bin")
    await worker.support.changes.apply([sf_case_id])
    path = f"/api/cases/{case_id}/files/{document}"
    assert (await aiko.get(path)).status_code == 404
    assert (await aiko.get(f"/api/cases/{foreign_case}/files/{document}")).status_code == 404
    # Cut on its way, or half of it as if that were all.
    for trouble in ({"broken": "half", "operations": ["read:ContentVersion"]}, {"special": {"cut_download": 1}}):
        await faults(back_office, **trouble)
        cut = await ben.get(path)
        assert (cut.status_code, cut.json()["code"]) == (503, "external_unavailable"), trouble
    await faults(back_office)
    assert (await ben.get(path)).content == LARGE


async def test_a_slow_download_keeps_no_other_call_waiting_and_a_slow_reader_none_at_all(
    ben: Visitor, portal: Portal, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    first, second = [await add_file(back_office, sf_case_id, LARGE, f"{name}.bin") for name in "ab"]
    await worker.support.changes.apply([sf_case_id])
    async with worker.database.unit_of_work() as session:
        case = await session.get(CaseRow, UUID(case_id))
    assert case is not None
    customer = Customer(case.user_id, 0, "", "", "")
    # One long call at a time: whatever keeps it is seen.
    settings = portal.settings.model_copy(update={"sf_long_concurrency": 1, "sf_long_timeout": 2.5, "sf_long_wait": 60})
    async with instead_of(portal, settings) as built:
        files = built.support.files
        read = (await files.download(customer, UUID(case_id), first)).parts
        begin = await anext(read)
        # The reader of the first pauses; the second comes so slowly that it is given up, and holds nothing afterwards.
        await faults(back_office, special={"slow_download": 50})
        given_up = asyncio.create_task(files.download(customer, UUID(case_id), second))
        assert (await ben.get(f"/api/cases/{case_id}")).status_code == 200
        with pytest.raises(ExternalUnavailable):
            await given_up
        await faults(back_office)
        assert (await ben.get(f"/api/cases/{case_id}/files/{second}")).content == LARGE
        assert begin + b"".join([part async for part in read]) == LARGE


async def test_a_file_is_handed_out_as_salesforces_own_scanner_says(
    ben: Visitor, portal: Portal, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    case_id = await open_case(ben)
    sf_case_id = await deliver(worker, case_id)
    answers = {"Malicious": (403, "not_allowed"), "Scheduled": (503, "external_unavailable"), "Clean": (200, None)}
    files = {scan: await add_file(back_office, sf_case_id, b"EICAR", f"{scan}.bin", scan=scan) for scan in answers}
    await worker.support.changes.apply([sf_case_id])

    async def answer(scan: str) -> tuple[int, str | None]:
        found = await ben.get(f"/api/cases/{case_id}/files/{files[scan]}")
        return found.status_code, found.json()["code"] if found.is_error else None

    async with instead_of(portal, portal.settings.model_copy(update={"sf_malware_status": True})):
        assert {scan: await answer(scan) for scan in answers} == answers
    # An API version before 66.0 does not know the field: without the setting it is not asked for.
    assert await answer("Malicious") == (200, None)


async def test_a_file_stands_with_its_message_on_the_page_of_that_message_alone(
    ben: Visitor, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    first, last = await upload(ben, b"first", "first.txt"), await upload(ben, b"last", "last.txt")
    for each in (first, last):
        await check(worker, each)
    case_id = await open_case(ben, [first])
    sf_case_id = await deliver(worker, case_id)
    (await back_office.post(f"/support/{sf_case_id}/burst", json={"count": 60, "text": "No."})).raise_for_status()
    await worker.support.changes.apply([sf_case_id])
    await ben.call("POST", f"/api/cases/{case_id}/comments", {"text": "The last", "uploads": [last]})
    await deliver(worker, case_id)
    late = (await ben.get(f"/api/cases/{case_id}")).json()
    early = (await ben.get(f"/api/cases/{case_id}?before={late['earlier']}")).json()
    shown = [
        [(entry["text"], file["name"], bool(file["id"])) for entry in page["entries"] for file in entry["files"]]
        for page in (early, late)
    ]
    assert shown == [[("See the file", "first.txt", True)], [("The last", "last.txt", True)]]


async def test_a_message_with_files_waits_as_a_whole_and_follows_its_case_into_another(
    ben: Visitor, worker: Portal, back_office: httpx.AsyncClient
) -> None:
    master, other = await open_case(ben), await open_case(ben)
    into, sf_case_id = await deliver(worker, master), await deliver(worker, other)
    early, late = await upload(ben, b"early", "early.txt"), await upload(ben, b"late", "late.txt")
    full = await upload(ben, b"storage is full", "full.txt")
    path = f"/api/cases/{other}/comments"
    await check(worker, early)
    await ben.call("POST", path, {"text": "Before", "uploads": [early]})
    await deliver(worker, other)
    for text, files in (("With two files", [late, full]), ("Behind it", [])):
        assert (await ben.call("POST", path, {"text": text, "uploads": files})).status_code == 201
    await check(worker, full)
    with pytest.raises(ExternalUnavailable, match="being checked"):
        await deliver(worker, other)
    found = await case_at_salesforce(back_office, sf_case_id)
    assert ([each["CommentBody"] for each in found["comments"]], len(found["files"])) == (["Before"], 1)
    (await back_office.post(f"/support/{sf_case_id}/merge", json={"into": into})).raise_for_status()
    await worker.support.changes.apply([sf_case_id, into])
    await check(worker, late)
    # Salesforce refuses the first of the files for good: the customer's words go on without it.
    await faults(back_office, special={"validation_rule": 1}, operations=["create:ContentVersion"])
    await deliver(worker, other)
    await faults(back_office)
    await worker.support.changes.apply([into])
    found = await case_at_salesforce(back_office, into)
    assert [each["CommentBody"] for each in found["comments"]] == ["Before", "With two files", "Behind it"]
    assert sorted(each["PathOnClient"] for each in found["files"]) == ["early.txt", "full.txt"]
    shown = {
        entry["text"]: [(file["name"], file["state"]) for file in entry["files"]]
        for entry in await entries(ben, master)
    }
    assert shown == {
        "See the file": [],
        "Before": [("early.txt", "sent")],
        "With two files": [("full.txt", "sent"), ("late.txt", "refused")],
        "Behind it": [],
    }


async def test_a_message_holds_ten_files(ben: Visitor, worker: Portal) -> None:
    files = [await upload(ben, b"x") for _ in range(11)]
    new = {"category": "other", "subject": "x", "text": "x"}
    answer = await ben.call("POST", "/api/cases", {**new, "uploads": files})
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"uploads"})
    incomplete = (await begin(ben, 2)).headers["location"]
    await patch(ben, incomplete, 0, b"x")
    answer = await ben.call("POST", "/api/cases", {**new, "uploads": [incomplete.rpartition("/")[2]]})
    assert answer.status_code == 409


async def test_a_plain_form_takes_one_small_file(ben: Visitor, worker: Portal) -> None:
    case_id = await open_case(ben)
    headers = {"Origin": ben.settings.portal_url, "Accept": "text/html"}
    fields = {"text": "By form", "idempotency_key": "a-key-of-this-form"}
    secret = {"text": "By form. My PIN is 1234"}
    tries: list[tuple[bytes, dict[str, str], str]] = [
        (b"x" * (2 * 1024 * 1024 + 1), {}, "flash"),
        (pdf(), secret, "flash"),
        (pdf(), secret | {"confirm_secrets": "on"}, case_id),
        (pdf(), secret | {"confirm_secrets": "on"}, case_id),
    ]
    for content, other, place in tries:
        answer = await ben.http.post(
            f"/api/cases/{case_id}/reply-form",
            data=fields | other,
            files={"file": ("表.pdf", content)},
            headers=headers,
        )
        assert answer.status_code == 303 and place in answer.headers["location"]
        assert ("flash" in answer.headers["location"]) == (place == "flash")
    shown = [entry for entry in await entries(ben, case_id) if entry["files"]]
    assert [(entry["text"], [file["name"] for file in entry["files"]]) for entry in shown] == [
        (secret["text"], ["表.pdf"])
    ]
