"""Passkeys (WebAuthn level 3): registration, names, removal, and authentication for sign-in, MFA and step-up."""

import json
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
import webauthn
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from webauthn.helpers import (
    generate_challenge,
    options_to_json,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal_app.domain.errors import Conflict, InvalidInput, NotFound
from portal_app.domain.identity.mfa import PasskeyView
from portal_app.infra.clock import now
from portal_app.models.mfa import Challenge, Passkey
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext

Purpose = Literal["add", "sign-in", "second-step", "step-up"]
REFUSED = "That passkey was not accepted. Try again, or sign in another way."
_MOST = 20
_LONGEST_NAME = 60
_REQUIRED = UserVerificationRequirement.REQUIRED
# Errors that the library raises for a malformed credential: its own, and those of the decoders it uses.
_MALFORMED = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, EOFError, RecursionError)


class Passkeys:
    """A user's passkeys. User verification is required, so a passkey counts as two factors."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def passkeys_of(self, user_id: UUID) -> list[PasskeyView]:
        """Return a user's passkeys, oldest first."""
        async with self._context.database.identity() as session:
            rows = await Passkey.all_of(session, user_id)
        return [PasskeyView(row.id, row.name, row.created_at, row.used_at) for row in rows]

    async def passkey_of(self, user_id: UUID, passkey_id: UUID) -> PasskeyView:
        """Return one passkey of a user. Raises NotFound."""
        found = [each for each in await self.passkeys_of(user_id) if each.id == passkey_id]
        if not found:
            raise NotFound("no such passkey of this user")
        return found[0]

    async def registration_options(self, user_id: UUID, session_id: UUID) -> dict[str, Any]:
        """Return the options of navigator.credentials.create. Raises StepUpNeeded, and Conflict at the maximum."""
        await self._context.sessions.require_recent(session_id)
        async with self._context.database.identity() as session:
            user = await session.get_one(User, user_id)
            known = await Passkey.all_of(session, user_id)
            if len(known) >= _MOST:
                raise Conflict("too many", user_message="You have as many passkeys as we keep. Remove one first.")
            options = webauthn.generate_registration_options(
                rp_id=self._context.settings.passkey_rp_id,
                rp_name="Hikari Portal",
                user_id=user_id.bytes,
                user_name=user.email,
                user_display_name=user.name,
                challenge=await self._new_challenge(session, "add", user_id),
                exclude_credentials=_descriptors(known),
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
                ),
            )
        return _as_json(options)

    async def add(self, user_id: UUID, session_id: UUID, credential: str, name: str) -> PasskeyView:
        """Store a new passkey. Raises StepUpNeeded, RateLimited, and InvalidInput for the fields name and passkey."""
        name = _checked_name(name)
        await self._context.sessions.require_recent(session_id)
        await self._context.customer_limits.count_change(user_id, "passkey")
        async with self._context.database.identity() as session:
            made = await self._verified_new(session, user_id, credential)
            row = None
            if made is not None and await Passkey.by_credential(session, made.credential_id) is None:
                row = Passkey(
                    user_id=user_id,
                    credential_id=made.credential_id,
                    public_key=made.credential_public_key,
                    sign_count=made.sign_count,
                    transports=_transports(credential),
                    name=name,
                )
                session.add(row)
                await self._changed(session, user_id, Tag.PASSKEY_ADDED, name)
        if row is None:
            # Raised after the transaction, so that the used challenge stays deleted.
            raise InvalidInput({"passkey": "That passkey could not be added. Try again."})
        return PasskeyView(row.id, row.name, row.created_at, row.used_at)

    async def rename(self, user_id: UUID, session_id: UUID, passkey_id: UUID, name: str) -> None:
        """Rename a passkey. Raises StepUpNeeded, NotFound, InvalidInput (name)."""
        name = _checked_name(name)
        await self._context.sessions.require_recent(session_id)
        async with self._context.database.identity() as session:
            row = await self._passkey_of(session, user_id, passkey_id)
            row.name = name
            record(session, Tag.PASSKEY_RENAMED, user_id=user_id, actor="you")

    async def remove(self, user_id: UUID, session_id: UUID, passkey_id: UUID) -> None:
        """Delete a passkey and end all other sessions. Raises StepUpNeeded, NotFound."""
        await self._context.sessions.require_recent(session_id)
        async with self._context.database.identity() as session:
            await User.locked(session, user_id, for_change=True)
            row = await self._passkey_of(session, user_id, passkey_id)
            await session.delete(row)
            await self._changed(session, user_id, Tag.PASSKEY_REMOVED, row.name)
            because = "passkey removed"
            ended = await self._context.sessions.end_in_transaction(session, user_id, because=because, but=session_id)
        await self._context.sessions.publish_ended(ended)

    async def authentication_options(self, purpose: Purpose, user_id: UUID | None = None) -> dict[str, Any]:
        """Return the options of navigator.credentials.get; without a user the browser offers all its passkeys."""
        async with self._context.database.identity() as session:
            known = await Passkey.all_of(session, user_id) if user_id else []
            options = webauthn.generate_authentication_options(
                rp_id=self._context.settings.passkey_rp_id,
                challenge=await self._new_challenge(session, purpose, user_id),
                allow_credentials=_descriptors(known),
                user_verification=_REQUIRED,
            )
        return _as_json(options)

    async def verify(
        self, session: AsyncSession, credential: str, purpose: Purpose, *, user_id: UUID | None = None
    ) -> UUID | None:
        """Verify an assertion in the caller's transaction and use up its challenge; return the user id or None.

        The transaction is to be committed in either case: a refused proof may leave an entry and a mail for the owner.
        """
        try:
            given = parse_authentication_credential_json(credential)
            client = parse_client_data_json(given.response.client_data_json)
            challenge = client.challenge
            if not await self._use_challenge(session, challenge, purpose, user_id) or client.cross_origin:
                return None
            owner = await Passkey.user_id_for(session, given.raw_id)
            # Lock the user before the passkey, as everywhere, to avoid deadlocks.
            held = await User.locked(session, owner) if owner else None
            row = await Passkey.by_credential(session, given.raw_id) if held else None
            if row is None or (user_id is not None and row.user_id != user_id):
                return None
            if given.response.user_handle not in (None, b"", row.user_id.bytes):
                return None
            proven = webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=self._context.settings.passkey_rp_id,
                expected_origin=list(self._context.settings.allowed_origins),
                credential_public_key=row.public_key,
                # Compared below: a proof that is right but for its counter is an alarm, any other is nothing.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _MALFORMED:
            return None
        if _went_back(row.sign_count, proven.new_sign_count):
            await self._report_copy(session, row)
            return None
        row.sign_count, row.used_at = proven.new_sign_count, now()
        return row.user_id

    async def _verified_new(self, session: AsyncSession, user_id: UUID, credential: str) -> Any:
        try:
            given = parse_registration_credential_json(credential)
            client = parse_client_data_json(given.response.client_data_json)
            challenge = client.challenge
            if not await self._use_challenge(session, challenge, "add", user_id) or client.cross_origin:
                return None
            return webauthn.verify_registration_response(
                credential=given,
                expected_challenge=challenge,
                expected_rp_id=self._context.settings.passkey_rp_id,
                expected_origin=list(self._context.settings.allowed_origins),
                require_user_verification=True,
            )
        except _MALFORMED:
            return None

    async def _new_challenge(self, session: AsyncSession, purpose: Purpose, user_id: UUID | None) -> bytes:
        challenge = generate_challenge()
        session.add(
            Challenge(
                challenge_hash=self._hash(challenge),
                purpose=purpose,
                user_id=user_id,
                expires_at=now() + timedelta(seconds=self._context.settings.portal_second_step_seconds),
            )
        )
        return challenge

    async def _use_challenge(
        self, session: AsyncSession, challenge: bytes, purpose: Purpose, user_id: UUID | None
    ) -> bool:
        use = sa.delete(Challenge).where(
            col(Challenge.challenge_hash) == self._hash(challenge),
            col(Challenge.purpose) == purpose,
            col(Challenge.user_id).is_not_distinct_from(user_id),
            col(Challenge.expires_at) > now(),
        )
        return bool((await (await session.connection()).execute(use)).rowcount)

    def _hash(self, challenge: bytes) -> bytes:
        return self._context.secrets.tokens.hash(challenge.hex(), "webauthn")

    async def _passkey_of(self, session: AsyncSession, user_id: UUID, passkey_id: UUID) -> Passkey:
        row = await session.get(Passkey, passkey_id, with_for_update=True)
        if row is None or row.user_id != user_id:
            raise NotFound("no such passkey of this user")
        return row

    async def _report_copy(self, session: AsyncSession, row: Passkey) -> None:
        """Tell the owner, in the caller's transaction, that another device seems to have the passkey's key."""
        record(session, Tag.PASSKEY_COPIED, user_id=row.user_id, detail={"passkey": str(row.id)})
        user = await session.get_one(User, row.user_id)
        await self._context.email_outbox.enqueue(
            session, "passkey_copied", recipient=user.email, user_id=row.user_id, title=row.name
        )

    async def _changed(self, session: AsyncSession, user_id: UUID, tag: Tag, name: str) -> None:
        record(session, tag, user_id=user_id, actor="you")
        user = await session.get_one(User, user_id)
        template = "passkey_added" if tag is Tag.PASSKEY_ADDED else "passkey_removed"
        await self._context.email_outbox.enqueue(session, template, recipient=user.email, user_id=user_id, title=name)


def _went_back(known: int, given: int) -> bool:
    """Return whether a counter shows that two devices hold a passkey; one that never counts stays at 0."""
    return given <= known and (given, known) != (0, 0)


def _checked_name(name: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not plain:
        raise InvalidInput({"name": "Give the passkey a name, such as the device it is on."})
    return plain[:_LONGEST_NAME]


def _descriptors(rows: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=row.credential_id, transports=[AuthenticatorTransport(each) for each in row.transports.split()] or None
        )
        for row in rows
    ]


def _transports(credential: str) -> str:
    reported = json.loads(credential).get("response", {}).get("transports")
    known = {each.value for each in AuthenticatorTransport}
    return " ".join(each for each in reported if each in known) if isinstance(reported, list) else ""


def _as_json(options: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(options_to_json(options))
    return content
