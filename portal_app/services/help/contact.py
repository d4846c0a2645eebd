"""The contact form for people without an account: a mailed code proves the address, then a case is opened."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import InvalidInput, NotSignedIn
from portal_app.domain.help.contact import ContactRequest, Stranger
from portal_app.domain.identity.account import Origin
from portal_app.domain.identity.typed_code import plain_code
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.support.case import CATEGORIES, CaseCategory, NewCase
from portal_app.infra.clock import now
from portal_app.language import parse_language
from portal_app.language.phrase import Phrase
from portal_app.models.contact_message import ContactMessage
from portal_app.models.user import EMAIL_PLACE, SignUp
from portal_app.services.identity.context import ServiceContext

_PURPOSE = "contact"
_WRONG_CODE = "That is not the code. Tries left: {count}."
_ENDED = "This has run out, or was sent already. Fill the form in again."


class ContactForm:
    """Take questions of strangers, and hand them to Salesforce."""

    def __init__(self, context: ServiceContext, gateway: CaseGateway) -> None:
        self._context = context
        self._settings = context.settings
        self._gateway = gateway

    async def begin(self, request: ContactRequest, origin: Origin) -> str:
        """Keep a question, mail a code to its address and return the token of its browser.

        Addresses with and without an account are treated alike. Raises RateLimited.
        """
        secrets = self._context.secrets
        index = secrets.ring.index(request.email, EMAIL_PLACE)
        limits = self._context.limits
        await limits.consume(self._settings.portal_contact_network_limit, "contact-network", origin.network)
        await limits.consume(self._settings.portal_contact_limit, "contact-email", index.hex())
        token, code = secrets.tokens.new(), secrets.tokens.new_code()
        async with self._context.database.identity() as session:
            await SignUp.void(session, _PURPOSE, index)
            session.add(
                SignUp(
                    token_hash=secrets.tokens.hash(token, _PURPOSE),
                    email=request.email,
                    email_index=index,
                    purpose=_PURPOSE,
                    code_hash=secrets.tokens.hash(code, f"contact-code:{token}"),
                    attempts_left=self._settings.portal_code_attempts,
                    expires_at=now() + timedelta(seconds=self._settings.portal_code_seconds),
                    entries=request.to_json(),
                )
            )
            await self._context.email_outbox.enqueue(
                session, "contact_code", recipient=request.email, user_id=None, language=origin.language, code=code
            )
        return token

    async def verify(self, token: str, code: str, origin: Origin) -> None:
        """Check the code and take the question. Raises InvalidInput (field code), NotSignedIn once it ran out.

        Raises RateLimited where everybody together asks too much: then the code still counts.
        """
        wrong: InvalidInput | None = None
        async with self._context.database.identity() as session:
            kept = await self._kept(session, token)
            hashed = self._context.secrets.tokens.hash(plain_code(code), f"contact-code:{token}")
            if kept.attempts_left <= 0:
                wrong = InvalidInput({"code": "No tries are left. Ask for a new code."})
            elif not self._context.secrets.tokens.equals(hashed, kept.code_hash):
                kept.attempts_left -= 1
                wrong = InvalidInput({"code": Phrase(_WRONG_CODE, count=kept.attempts_left)})
            else:
                await self._context.limits.consume(self._settings.portal_contact_total_limit, "contact-total")
                await self._take(session, ContactRequest.from_json(kept.entries or "{}"), origin)
                kept.verified_at, kept.entries = now(), None
        if wrong is not None:
            # Raised after the transaction, so that the used attempt is committed.
            raise wrong

    async def hand_over(self, message_id: UUID) -> None:
        """Open the case at Salesforce and delete our copy. Safe to repeat: an upsert under our id."""
        async with self._context.database.unit_of_work() as session:
            row = await session.get(ContactMessage, message_id)
        if row is None:
            return
        category: CaseCategory = next((each for each in CATEGORIES if each == row.category), "other")
        stranger = Stranger(row.name, row.email, parse_language(row.language))
        await self._gateway.open_for_stranger(stranger, row.id, NewCase(category, row.subject, row.text))
        async with self._context.database.unit_of_work() as session:
            gone = sa.delete(ContactMessage).where(col(ContactMessage.id) == message_id)
            await (await session.connection()).execute(gone)

    async def _kept(self, session: AsyncSession, token: str) -> SignUp:
        kept = await SignUp.by_token(session, self._context.secrets.tokens.hash(token, _PURPOSE))
        if kept is None or kept.purpose != _PURPOSE or kept.verified_at is not None or kept.expires_at < now():
            raise NotSignedIn("contact form ended", user_message=_ENDED)
        return kept

    async def _take(self, session: AsyncSession, request: ContactRequest, origin: Origin) -> None:
        message = ContactMessage(
            name=request.name,
            email=request.email,
            subject=request.subject,
            text=request.text,
            category=request.category,
            language=origin.language,
        )
        session.add(message)
        await session.flush()
        await self._context.queue.enqueue(session, "send_contact_message", f"contact-{message.id}", str(message.id))
