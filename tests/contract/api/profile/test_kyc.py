"""Identity documents over HTTP: taken once, sent to agents, deleted here, decided, and required for voice lines."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from portal_app.models.email_outbox import Mail
from portal_app.models.notice import NoticeRow
from tests.support.clients.kyc_customer import PAGE, Hana, hana
from tests.support.clients.visitor import mailed
from tests.support.values.documents import pdf, picture

__all__ = ["hana"]

VOICE = "SIM-DATA-VOICE-5GB"


async def test_a_document_reaches_the_agents_and_our_copy_is_deleted(hana: Hana) -> None:
    assert (await hana.check())["status"] == "not_submitted"
    answer = await hana.send(pdf(), "../../Tanaka card.pdf")
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    assert (answer.json()["status"], answer.json()["is_on_its_way"]) == ("submitted", True)
    (stored,) = await hana.stored()
    sealed = await hana.driver.value("SELECT content FROM identity_files WHERE user_id = %s", hana.user_id)
    assert b"%PDF" not in bytes(sealed) and stored.content not in bytes(sealed).decode("latin-1")
    document = await hana.hand_over()
    assert [file["name"] for file in await hana.files()] == [f"identity-{document}.pdf"]
    assert await hana.stored() == []
    shown = await hana.check()
    assert (shown["status"], shown["is_on_its_way"]) == ("submitted", False)


async def test_the_same_document_counts_once_and_another_one_waits_for_the_decision(hana: Hana) -> None:
    for _ in range(2):
        assert (await hana.send(picture())).status_code == 202
    assert len(await hana.stored()) == 1
    another = await hana.send(picture(colour=0x112233))
    assert (another.status_code, another.json()["code"]) == (409, "conflict")
    # Refused before any work is done on it: this one cannot be decoded.
    assert (await hana.send(b"no picture")).status_code == 409
    assert len(await hana.stored()) == 1


async def test_one_document_of_a_customer_is_decoded_at_a_time(hana: Hana) -> None:
    answers = await asyncio.gather(*(hana.send(picture(colour=colour)) for colour in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(await hana.stored()) == 1


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


async def test_a_document_that_cannot_be_handed_over_is_deleted_and_asked_for_again(hana: Hana) -> None:
    await hana.send(picture())
    (stored,) = await hana.stored()
    await hana.worker.profile.kyc_review.delete_document(hana.user_id, stored.document_id, was_lost=True)
    assert await hana.stored() == [] and (await hana.check())["status"] == "not_submitted"
    assert (await hana.send(picture())).status_code == 202


async def test_a_form_returns_to_its_page_with_the_error_or_to_the_checkout(hana: Hana) -> None:
    large = await hana.send(b"x" * 6_000_000, page=True, next=f"/checkout?plan={VOICE}")
    assert large.status_code == 303 and httpx.URL(large.headers["location"]).params["next"] == f"/checkout?plan={VOICE}"
    refused = await hana.send(b"no picture", page=True, next=f"/checkout?plan={VOICE}")
    assert refused.status_code == 303 and refused.headers["location"].startswith(f"{PAGE}?flash=")
    flash = httpx.URL(refused.headers["location"]).params["flash"]
    assert "cannot be read" in (await hana.driver.web.flash_messages.read(flash))["document"]
    sent = await hana.send(picture(), page=True, next=f"/checkout?plan={VOICE}")
    assert (sent.status_code, sent.headers["location"]) == (303, f"/checkout?plan={VOICE}")
    again = await hana.send(picture(), page=True, next="//evil.example/checkout")
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
