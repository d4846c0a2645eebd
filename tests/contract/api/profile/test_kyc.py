"""Identity documents over HTTP: taken once, sent to agents, deleted here, decided, and required for voice lines."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from portal_app.domain.errors import ExternalUnavailable, OutcomeUnknown
from portal_app.domain.uploads.file_kind import REFUSALS
from portal_app.domain.uploads.upload import DOCUMENT_DRAFT, PART_BYTES
from portal_app.models.email_outbox import Mail
from portal_app.models.notice import NoticeRow
from portal_app.state.profile.kyc import check_story
from tests.support.clients.case_files import QUESTION, TUS, begin, upload
from tests.support.clients.kyc_customer import PAGE, PATH, Hana, hana
from tests.support.clients.visitor import Visitor, mailed
from tests.support.values.documents import noisy_picture, picture

__all__ = ["hana"]

VOICE = "SIM-DATA-VOICE-5GB"


async def test_a_document_reaches_the_agents_and_our_copy_is_deleted(hana: Hana) -> None:
    assert (await hana.check())["status"] == "not_submitted"
    # Larger than any form may be: it travels in parts, both ways.
    sent = noisy_picture(6_000_000)
    upload = await hana.upload(sent)
    sealed = await hana.driver.value("SELECT content FROM upload_parts WHERE user_id = %s LIMIT 1", hana.user_id)
    assert sent[:64] not in bytes(sealed) and max(await hana.parts()) <= PART_BYTES
    answer = await hana.submit(upload)
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    assert (answer.json()["status"], answer.json()["is_on_its_way"]) == ("submitted", True)
    document = await hana.hand_over()
    (file,) = await hana.files()
    assert (file["name"], str(document)) == (f"identity-{upload}.jpg", upload)
    assert (await hana.stored(), await hana.parts()) == ([], [])
    shown = await hana.check()
    assert (shown["status"], shown["is_on_its_way"]) == ("submitted", False)
    # Of the file's name nothing is left here, and it is in no list.
    assert (await hana.browser.get(f"/api/uploads?draft={DOCUMENT_DRAFT}")).json()["items"] == []
    assert await hana.driver.value("SELECT state FROM uploads WHERE id = %s", upload) == "removed"


async def test_a_document_waits_for_its_check_and_does_not_expire(hana: Hana) -> None:
    upload = await hana.upload(picture())
    for _ in range(2):
        assert (await hana.submit(upload)).status_code == 202
    with pytest.raises(ExternalUnavailable):
        await hana.worker.profile.kyc_review.hand_over(hana.user_id, UUID(upload))
    assert (await hana.browser.http.delete(f"/api/uploads/{upload}", headers=TUS)).status_code == 409
    case = {**QUESTION, "uploads": [upload]}
    assert (await hana.browser.call("POST", "/api/cases", case)).status_code == 409
    await hana.driver.rows(
        "UPDATE uploads SET expires_at = now() - interval '3 days' WHERE id = %s RETURNING id", upload
    )
    await hana.worker.uploads.tidying.delete_expired()
    await hana.hand_over()
    assert len(await hana.files()) == 1


async def test_only_an_upload_for_it_that_is_ones_own_and_complete_becomes_the_document(
    hana: Hana, ben: Visitor
) -> None:
    others = await upload(ben, picture(), draft=DOCUMENT_DRAFT)
    of_a_case = await hana.upload(picture(), draft="new")
    begun = (await begin(hana.browser, 9, draft=DOCUMENT_DRAFT)).headers["location"].rpartition("/")[2]
    answers = [await hana.submit(each) for each in (others, of_a_case, str(uuid4()), "x", begun)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 409]
    assert set((await hana.submit("")).json()["fields"]) == {"document"}
    assert (await hana.check())["status"] == "not_submitted"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no picture", "no_document"), (picture()[:300], "unreadable_picture")]
)
async def test_a_document_that_is_not_taken_is_deleted_and_the_customer_reads_why(
    hana: Hana, content: bytes, reason: str
) -> None:
    assert (await hana.submit(await hana.upload(content))).status_code == 202
    assert await hana.refuse() == reason
    assert (await hana.stored(), await hana.parts(), await hana.files()) == ([], [], [])
    check = await hana.driver.web.profile.kyc_documents.check_for(hana.buyer.customer)
    assert (check.status, check.was_lost, check_story(check)) == ("not_submitted", True, REFUSALS[reason])
    assert (await hana.send(picture())).status_code == 202
    check = await hana.driver.web.profile.kyc_documents.check_for(hana.buyer.customer)
    assert (check.status, check.refusal) == ("submitted", "")


async def test_the_same_document_counts_once_and_another_one_waits_for_the_decision(hana: Hana) -> None:
    for _ in range(2):
        assert (await hana.send(picture())).status_code == 202
    assert len(await hana.stored()) == 1
    another = await hana.send(picture(colour=0x112233))
    assert (another.status_code, another.json()["code"]) == (409, "conflict")
    # Nothing is left of what was not taken.
    assert len(await hana.parts()) == 1


async def test_one_document_of_several_at_the_same_time_is_taken(hana: Hana) -> None:
    answers = await asyncio.gather(*(hana.send(picture(colour=colour * 0x300000)) for colour in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    assert (len(await hana.stored()), len(await hana.parts())) == (1, 1)


async def test_rejection_with_its_reason_and_later_verification_are_each_announced_once(hana: Hana) -> None:
    await hana.send(picture())
    await hana.hand_over()
    assert await hana.decide("reject", "The address cannot be read.") == [str(hana.user_id), None]
    shown = await hana.check()
    assert (shown["status"], shown["note"]) == ("rejected", "The address cannot be read.")
    assert (await hana.send(picture())).json() | {"submitted_at": None} == {
        "status": "submitted", "note": "", "submitted_at": None, "is_on_its_way": True,
    }  # fmt: skip
    # While the new one is being sent, the decision about the old one does not count.
    assert await hana.worker.profile.kyc_review.apply_account(hana.buyer.customer.sf_account_id) is None
    await hana.hand_over()
    assert await hana.decide("verify") == [str(hana.user_id), None]
    assert (await hana.check())["status"] == "verified"
    assert sorted(await hana.announced(Mail)) == ["identity_rejected", "identity_verified"]
    assert sorted(await hana.announced(NoticeRow)) == ["identity_rejected", "identity_verified"]
    assert "address" not in (await mailed(hana.worker, hana.buyer.email)).values()
    assert (await hana.send(picture())).status_code == 409


async def test_a_document_is_taken_while_salesforce_is_down_and_a_missed_decision_is_found(hana: Hana) -> None:
    await hana.driver.set_faults("salesforce", down=True)
    assert (await hana.send(picture())).status_code == 202
    assert (await hana.check())["is_on_its_way"]
    await hana.driver.all_well()
    await hana.hand_over()
    await hana.driver.decide_identity(hana.buyer)
    assert hana.buyer.customer.sf_account_id in await hana.worker.profile.kyc_review.accounts_with_missed_reviews()


async def test_a_document_whose_answer_was_lost_is_not_stored_twice(hana: Hana) -> None:
    upload = UUID(await hana.upload(picture()))
    await hana.submit(str(upload))
    await hana.worker.uploads.checking.check(upload)
    await hana.driver.set_faults("salesforce", lose_answers=1)
    with pytest.raises(OutcomeUnknown):
        await hana.worker.profile.kyc_review.hand_over(hana.user_id, upload)
    await hana.driver.all_well()
    await hana.hand_over()
    assert [file["name"] for file in await hana.files()] == [f"identity-{upload}.jpg"]


async def test_a_document_that_cannot_be_handed_over_is_deleted_and_asked_for_again(hana: Hana) -> None:
    await hana.send(picture())
    (stored,) = await hana.stored()
    await hana.worker.profile.kyc_review.delete_document(hana.user_id, stored.id, was_lost=True)
    assert await hana.stored() == [] and (await hana.check())["status"] == "not_submitted"
    assert (await hana.send(picture())).status_code == 202


async def test_a_form_returns_to_its_page_with_the_error_or_to_the_checkout(hana: Hana) -> None:
    large = await hana.send(b"x" * 6_000_000, page=True, next=f"/checkout?plan={VOICE}")
    assert large.status_code == 303 and httpx.URL(large.headers["location"]).params["next"] == f"/checkout?plan={VOICE}"
    refused = await hana.browser.submit(PATH, upload="", upload_waiting="yes")
    assert refused.status_code == 303 and refused.headers["location"].startswith(f"{PAGE}?flash=")
    flash = httpx.URL(refused.headers["location"]).params["flash"]
    assert "Wait until" in (await hana.driver.web.flash_messages.read(flash))["document"]
    sent = await hana.send(picture(), page=True, next=f"/checkout?plan={VOICE}")
    assert (sent.status_code, sent.headers["location"]) == (303, f"/checkout?plan={VOICE}")
    (stored,) = await hana.stored()
    again = await hana.browser.submit(f"{PATH}?next=//evil.example/checkout", upload=f"{uuid4()},{stored.id}")
    assert again.headers["location"] == PAGE


async def test_a_voice_line_cannot_be_ordered_without_a_document_and_data_can(hana: Hana) -> None:
    sim = {"sim_type": "esim", "eid": "89049032000001000000012345678954", "start": "now"}
    names = {"last_name": "田中", "first_name": "花子", "last_name_kana": "タナカ", "first_name_kana": "ハナコ"}
    number = {"origin": "new", **names, "gender": "F", "birth_date": "1990-04-01"}
    voice = {"sku": VOICE, "terms_accepted": True, "answers": {"sim": sim, "number": number}}
    data = {"sku": "SIM-DATA-ONLY-5GB", "terms_accepted": True, "answers": {"sim": sim}}

    async def order(wanted: dict[str, Any]) -> httpx.Response:
        return await hana.browser.call("POST", "/api/orders", wanted, Idempotency_Key=uuid4().hex)

    refused = await order(voice)
    assert (refused.status_code, set(refused.json()["fields"])) == (422, {"identity"})
    assert (await order(data)).status_code == 201
    await hana.send(picture())
    assert (await order(voice)).status_code == 201
