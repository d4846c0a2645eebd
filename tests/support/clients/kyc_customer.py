"""A customer who sends an identity document, with the worker and the agents on the other side."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from portal_app.domain.profile.customer import Customer
from portal_app.domain.uploads.upload import DOCUMENT_DRAFT
from portal_app.models.email_outbox import Mail
from portal_app.models.kyc import IdentityCheckRow
from portal_app.models.upload import UploadPart, UploadRow
from portal_app.models.user import User
from portal_app.wiring.portal import Portal
from tests.support.clients.case_files import upload
from tests.support.clients.portal_driver import Buyer, PortalDriver
from tests.support.clients.visitor import Visitor
from tests.support.running.world import PASSWORD, world

PATH, PAGE = "/api/me/identity-document", "/account/verification"


@dataclass
class Hana:
    """A customer of this test's own, signed in, with the worker and the agents on the other side."""

    browser: Visitor
    worker: Portal
    driver: PortalDriver
    buyer: Buyer

    @property
    def user_id(self) -> UUID:
        return self.buyer.customer.user_id

    async def send(self, content: bytes, name: str = "card.jpg", *, page: bool = False, **query: str) -> httpx.Response:
        headers = {"Origin": self.browser.settings.portal_url, "Sec-Fetch-Site": "same-origin"}
        headers |= {"Accept": "text/html"} if page else {"Accept": "application/json"}
        sent = {"document": (name, content)}
        return await self.browser.http.post(PATH, files=sent, params=query, headers=headers)

    async def upload(self, content: bytes, *, draft: str = DOCUMENT_DRAFT) -> str:
        """Send a file in pieces and return its id."""
        return await upload(self.browser, content, "運転免許証.jpg", draft=draft)

    async def submit(self, upload_id: str) -> httpx.Response:
        """Make an upload the document."""
        return await self.browser.call("POST", PATH, {"upload": upload_id})

    async def check(self) -> dict[str, Any]:
        return (await self.browser.get(PATH)).json()

    async def hand_over(self) -> UUID:
        """Do what the workflow does, every step twice; return the document's id."""
        checks = self.worker.profile.kyc_review
        async with self.worker.database.unit_of_work() as session:
            document = (await session.get(IdentityCheckRow, self.user_id)).document_id
        await self.worker.uploads.checking.check(document)
        for step in (checks.hand_over, checks.request_review, checks.delete_document):
            await step(self.user_id, document)
            await step(self.user_id, document)
        return document

    async def decide(self, decision: str, note: str = "") -> list[str | None]:
        """Decide as an agent, and apply the decision as its event does, delivered twice."""
        await self.driver.decide_identity(self.buyer, decision, note)
        account = self.buyer.customer.sf_account_id
        return [await self.worker.profile.kyc_review.apply_account(account) for _ in range(2)]

    async def files(self) -> list[dict[str, Any]]:
        rows = (await self.driver.office.get("/identities")).json()
        return next(row for row in rows if row["number"] == self.buyer.customer.customer_number)["files"]

    async def announced(self, kind: type[Any]) -> list[str]:
        async with self.worker.database.unit_of_work() as session:
            rows = (await session.exec(select(kind).where(kind.user_id == self.user_id))).all()
        return [row.template if isinstance(row, Mail) else row.kind for row in rows]

    async def refuse(self) -> str:
        """Do what the workflow does with a document that is not taken; return the key of the reason."""
        (stored,) = await self.stored()
        await self.worker.uploads.checking.check(stored.id)
        checks = self.worker.profile.kyc_review
        reason = await checks.hand_over(self.user_id, stored.id)
        await checks.delete_document(self.user_id, stored.id, was_lost=True, refusal=reason)
        return reason

    async def stored(self) -> list[UploadRow]:
        """Return the documents that are here."""
        query = select(UploadRow).where(UploadRow.user_id == self.user_id, col(UploadRow.is_document))
        async with self.worker.database.unit_of_work() as session:
            return list((await session.exec(query)).all())

    async def parts(self) -> list[int]:
        """Return the sizes of the customer's parts that are here."""
        query = select(UploadPart).where(UploadPart.user_id == self.user_id)
        async with self.worker.database.unit_of_work() as session:
            return [len(part.content) for part in (await session.exec(query)).all()]


@pytest.fixture
async def hana(portal: Portal, worker: Portal) -> AsyncIterator[Hana]:
    driver = PortalDriver(portal, worker, world().office, world().postgres.url())
    await driver.all_well()
    buyer = await driver.buyer()
    async with worker.database.unit_of_work() as session:
        user = await session.get(User, buyer.customer.user_id)
        user.password_hash = await worker.identity.secrets.passwords.hash(PASSWORD)
    somebody = Visitor(portal.settings)
    yield Hana(await somebody.sign_in(buyer.email), worker, driver, buyer)
    await somebody.http.aclose()
    await driver.all_well()
    await driver.close()


async def hand_in(web: Portal, customer: Customer, content: bytes) -> None:
    """Send a document as a form does."""

    async def piece() -> AsyncIterator[bytes]:
        yield content

    most = len(content)
    taken = await web.uploads.form_files.take(
        customer.user_id, piece(), name="card.jpg", draft=DOCUMENT_DRAFT, most=most
    )
    await web.profile.kyc_documents.submit(customer, taken.upload_id)
