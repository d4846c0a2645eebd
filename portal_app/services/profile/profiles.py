"""Personal data for pages and API: read from WHMCS, and changed by a workflow at WHMCS and then Salesforce."""

from uuid import UUID, uuid4

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.ports.clients import PeopleGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import AWAY, ON_ITS_WAY, REFUSED, PersonalData, ProfileChange, ProfileView
from portal_app.infra.clock import now
from portal_app.infra.database.durable import WakeTopic
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.mirror import is_fresh
from portal_app.models.profile import ProfileRow
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import SavedRead


class Profiles:
    """Reads a customer's data and stores changes."""

    def __init__(self, context: ServiceContext, people: PeopleGateway, live: LiveUpdates) -> None:
        self._context = context
        self._people = people
        self._live = live

    async def profile_for(self, customer: Customer) -> ProfileView:
        """Return a customer's data from WHMCS including pending changes, or saved data if WHMCS is slow.

        Raises ExternalUnavailable if no data were saved before.
        """
        row, error = await self._context.reads.get_saved(self._read_of(customer))
        if error is not None and not (row.kept and isinstance(error, ExternalUnavailable)):
            raise error
        pending = ProfileChange.from_json(row.accepted).merged_with(ProfileChange.from_json(row.wanted))
        note = REFUSED if row.stands == "refused" else ""
        if not pending.is_empty:
            note = AWAY if row.stands == "away" else ON_ITS_WAY
        async with self._context.database.identity() as session:
            user = await User.required(session, customer.user_id)
            saved = PersonalData.from_json(row.kept or "")
            # While a change is pending, the data read may be older than the user's new name.
            is_renamed = pending.is_empty and user.update_name(saved.full_name)
        if is_renamed:
            await self._live.publish(Change(customer.user_id, "account"))
        person = saved.changed_by(pending)
        return ProfileView(person, user.language, not pending.is_empty, note, row.read_at if error else None)

    async def change(self, customer: Customer, change: ProfileChange, *, session_id: UUID) -> None:
        """Store a change and enqueue its workflow; fields that equal the current data are left out.

        Raises StepUpNeeded for a new phone number or address (SIM cards are sent there), RateLimited.
        """
        view = await self.profile_for(customer)
        change = change.without_unchanged(view.person).without(ProfileChange(language=view.language))
        if change.phone is not None or change.address is not None:
            await self._context.sessions.require_recent(session_id)
        await self._set_language(customer, change.language)
        await self.enqueue_change(customer, change)

    async def enqueue_change(self, customer: Customer, change: ProfileChange) -> None:
        """Add a change to the pending one, and start or wake the profile workflow. Raises RateLimited."""
        if change.is_empty:
            return
        await self._context.limits.consume(
            self._context.settings.portal_profile_limit, "profile", str(customer.user_id)
        )
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await ProfileRow.locked(session, customer.user_id)
            if change.address is not None:
                # Eligibility depends on the building, so the answer for the old address is void.
                (await EligibilityRow.locked(session, customer.user_id)).reset()
            row.wanted = ProfileChange.from_json(row.wanted).merged_with(change).to_json()
            row.stands = ""
            row.version += 0 if row.is_busy else 1
            name = f"save-profile-{customer.user_id}-{row.version}"
            if row.is_busy:
                await self._context.queue.send(session, name, "more", topic=WakeTopic.PROFILE, key=uuid4().hex)
            else:
                row.is_busy = True
                await self._context.queue.enqueue(session, "save_profile", name, str(customer.user_id))
            record(session, Tag.PROFILE_CHANGED, user_id=customer.user_id, actor="you", detail=change.field_names())
        await self._live.publish(Change(customer.user_id, "account"))
        if change.address is not None:
            await self._live.publish(Change(customer.user_id, "eligibility"))

    def _read_of(self, customer: Customer) -> SavedRead[ProfileRow]:
        return SavedRead(
            key=f"profile:{customer.user_id}",
            vendor="whmcs",
            load=lambda: self._row(customer),
            is_fresh=self._is_fresh,
            update=lambda _: self._update(customer),
            change=Change(customer.user_id, "account"),
        )

    async def _update(self, customer: Customer) -> bool:
        person = await self._people.person(customer.whmcs_client_id)
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            row = await ProfileRow.locked(session, customer.user_id)
            row.kept = person.completed_from(PersonalData.from_json(row.kept) if row.kept else None).to_json()
            row.read_at = now()
        # Open pages show what was saved only where somebody stopped waiting.
        return False

    async def _row(self, customer: Customer) -> ProfileRow:
        """Return the stored row, or an empty one that is not stored."""
        async with self._context.database.unit_of_work(customer=customer.user_id) as session:
            return await session.get(ProfileRow, customer.user_id) or ProfileRow(user_id=customer.user_id)

    def _is_fresh(self, row: ProfileRow) -> bool:
        return bool(row.kept) and is_fresh(row.read_at, self._context.settings.cache_profile_seconds, at=now())

    async def _set_language(self, customer: Customer, language: str | None) -> None:
        if language is None:
            return
        async with self._context.database.identity() as session:
            (await User.required(session, customer.user_id)).language = language
