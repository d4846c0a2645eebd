"""Identity documents over HTTP: taken once, handed to agents, deleted here, decided about, and what hangs on it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import select

from portal_app.models.email_outbox import Mail
from portal_app.models.kyc import IdentityCheckRow, IdentityFile
from portal_app.models.notice import NoticeRow
from portal_app.models.user import User
from portal_app.wiring.portal import Portal
from tests.contract.api.visitor import Visitor, mailed
from tests.documents import pdf, picture
from tests.faults.shop import Buyer, Shop
from tests.world import PASSWORD, world

PATH, PAGE = "/api/me/identity-document", "/account/verification"
VOICE = "SIM-DATA-VOICE-5GB"


@dataclass
class Hana:
    """A customer of this test's own, signed in, with the worker and the agents on the other side."""

    browser: Visitor
    worker: Portal
    shop: Shop
    buyer: Buyer

    @property
    def user_id(self) -> UUID:
        return self.buyer.customer.user_id

    async def send(self, content: bytes, name: str = "card.jpg", *, page: bool = False, **query: str) -> httpx.Response:
        headers = {"Origin": self.browser.settings.portal_url, "Sec-Fetch-Site": "same-origin"}
        headers |= {"Accept": "text/html"} if page else {"Accept": "application/json"}
        sent = {"document": (name, content)}
        return await self.browser.http.post(PATH, files=sent, params=query, headers=headers)

    async def check(self) -> dict[str, Any]:
        return (await self.browser.get(PATH)).json()

    async def hand_over(self) -> UUID:
        """Do what the workflow does, every step twice; return the document's id."""
        checks = self.worker.profile.kyc_review
        async with self.worker.database.unit_of_work() as session:
            document = (await session.get(IdentityCheckRow, self.user_id)).document_id
        for step in (checks.hand_over, checks.request_review, checks.delete_document):
            await step(self.user_id, document)
            await step(self.user_id, document)
        return document

    async def decide(self, decision: str, note: str = "") -> list[str | None]:
        """Decide as an agent, and take it over as its event does, delivered twice."""
        await self.shop.decide_identity(self.buyer, decision, note)
        account = self.buyer.customer.sf_account_id
        return [await self.worker.profile.kyc_review.apply_account(account) for _ in range(2)]

    async def files(self) -> list[dict[str, Any]]:
        rows = (await self.shop.office.get("/identities")).json()
        return next(row for row in rows if row["number"] == self.buyer.customer.customer_number)["files"]

    async def told(self, kind: type[Any]) -> list[str]:
        async with self.worker.database.unit_of_work() as session:
            rows = (await session.exec(select(kind).where(kind.user_id == self.user_id))).all()
        return [row.template if isinstance(row, Mail) else row.kind for row in rows]

    async def kept(self) -> list[IdentityFile]:
        async with self.worker.database.unit_of_work() as session:
            return list((await session.exec(select(IdentityFile).where(IdentityFile.user_id == self.user_id))).all())


@pytest.fixture
async def hana(portal: Portal, worker: Portal) -> AsyncIterator[Hana]:
    shop = Shop(portal, worker, world().office, world().postgres.url())
    await shop.all_well()
    buyer = await shop.buyer()
    async with worker.database.unit_of_work() as session:
        user = await session.get(User, buyer.customer.user_id)
        user.password_hash = await worker.identity.secrets.passwords.hash(PASSWORD)
    somebody = Visitor(portal.settings)
    yield Hana(await somebody.sign_in(buyer.email), worker, shop, buyer)
    await somebody.http.aclose()
    await shop.all_well()
    await shop.close()


async def test_a_document_reaches_the_agents_and_our_copy_is_deleted(hana: Hana) -> None:
    assert (await hana.check())["status"] == "not_submitted"
    answer = await hana.send(pdf(), "../../Tanaka card.pdf")
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    assert (answer.json()["status"], answer.json()["is_on_its_way"]) == ("submitted", True)
    (kept,) = await hana.kept()
    sealed = await hana.shop.value("SELECT content FROM identity_files WHERE user_id = %s", hana.user_id)
    assert b"%PDF" not in bytes(sealed) and kept.content not in bytes(sealed).decode("latin-1")
    document = await hana.hand_over()
    assert [file["name"] for file in await hana.files()] == [f"identity-{document}.pdf"]
    assert await hana.kept() == []
    shown = await hana.check()
    assert (shown["status"], shown["is_on_its_way"]) == ("submitted", False)


async def test_the_same_document_twice_is_once_and_another_one_waits_for_the_answer(hana: Hana) -> None:
    for _ in range(2):
        assert (await hana.send(picture())).status_code == 202
    assert len(await hana.kept()) == 1
    another = await hana.send(picture(colour=0x112233))
    assert (another.status_code, another.json()["code"]) == (409, "conflict")
    # Refused before any work is done on it: this one cannot be decoded.
    assert (await hana.send(b"no picture")).status_code == 409
    assert len(await hana.kept()) == 1


async def test_one_document_of_a_customer_is_decoded_at_a_time(hana: Hana) -> None:
    answers = await asyncio.gather(*(hana.send(picture(colour=colour)) for colour in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert len(await hana.kept()) == 1


async def test_a_rejected_document_says_why_and_another_one_is_verified_each_told_once(hana: Hana) -> None:
    await hana.send(picture())
    await hana.hand_over()
    assert await hana.decide("reject", "The address cannot be read.") == [str(hana.user_id), None]
    shown = await hana.check()
    assert (shown["status"], shown["note"]) == ("rejected", "The address cannot be read.")
    assert (await hana.send(picture())).json() | {"submitted_at": None} == {
        "status": "submitted", "note": "", "submitted_at": None, "is_on_its_way": True,
    }  # fmt: skip
    # While the new one is on its way, what agents said of the old one counts no more.
    assert await hana.worker.profile.kyc_review.apply_account(hana.buyer.customer.sf_account_id) is None
    await hana.hand_over()
    assert await hana.decide("verify") == [str(hana.user_id), None]
    assert (await hana.check())["status"] == "verified"
    assert sorted(await hana.told(Mail)) == ["identity_rejected", "identity_verified"]
    assert sorted(await hana.told(NoticeRow)) == ["identity_rejected", "identity_verified"]
    assert "address" not in (await mailed(hana.worker, hana.buyer.email)).values()
    assert (await hana.send(picture())).status_code == 409


async def test_salesforce_away_takes_the_document_and_a_missed_decision_is_found(hana: Hana) -> None:
    await hana.shop.set_mood("salesforce", down=True)
    assert (await hana.send(picture())).status_code == 202
    assert (await hana.check())["is_on_its_way"]
    await hana.shop.all_well()
    await hana.hand_over()
    await hana.shop.decide_identity(hana.buyer)
    assert hana.buyer.customer.sf_account_id in await hana.worker.profile.kyc_review.accounts_with_missed_reviews()


async def test_a_document_that_cannot_be_handed_over_is_deleted_and_asked_for_again(hana: Hana) -> None:
    await hana.send(picture())
    (kept,) = await hana.kept()
    await hana.worker.profile.kyc_review.delete_document(hana.user_id, kept.document_id, was_lost=True)
    assert await hana.kept() == [] and (await hana.check())["status"] == "not_submitted"
    assert (await hana.send(picture())).status_code == 202


async def test_a_form_comes_back_to_its_page_with_the_words_or_goes_on_to_the_checkout(hana: Hana) -> None:
    large = await hana.send(b"x" * 6_000_000, page=True, next=f"/checkout?plan={VOICE}")
    assert large.status_code == 303 and httpx.URL(large.headers["location"]).params["next"] == f"/checkout?plan={VOICE}"
    refused = await hana.send(b"no picture", page=True, next=f"/checkout?plan={VOICE}")
    assert refused.status_code == 303 and refused.headers["location"].startswith(f"{PAGE}?flash=")
    flash = httpx.URL(refused.headers["location"]).params["flash"]
    assert "cannot be read" in (await hana.shop.web.flash_messages.read(flash))["document"]
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
