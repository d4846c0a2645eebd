"""A customer's own data: read from WHMCS, changed there first and then at Salesforce by durable work."""

from uuid import UUID, uuid4

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.ports.clients import PeopleGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import AWAY, ON_ITS_WAY, REFUSED, PersonalData, ProfileChange, ProfileView
from portal_app.infra.database.durable import WakeTopic
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.columns import now
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.mirror import is_fresh
from portal_app.models.profile import ProfileRow
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.mirrors.cached_reads import SavedRead


class Profiles:
    """Show a customer's data and take changes of it."""

    def __init__(self, base: ServiceContext, people: PeopleGateway, live: LiveUpdates) -> None:
        self._base = base
        self._people = people
        self._live = live

    async def profile_for(self, customer: Customer) -> ProfileView:
        """Return a customer's data as WHMCS has them, with what is on its way there, or saved ones while it is slow.

        Raises ExternalUnavailable where none were saved yet.
        """
        row, error = await self._base.reads.get_saved(self._read_of(customer))
        if error is not None and not (row.kept and isinstance(error, ExternalUnavailable)):
            raise error
        coming = ProfileChange.from_json(row.accepted).then(ProfileChange.from_json(row.wanted))
        note = REFUSED if row.stands == "refused" else ""
        if not coming.is_empty:
            note = AWAY if row.stands == "away" else ON_ITS_WAY
        async with self._base.database.identity() as session:
            user = await User.required(session, customer.user_id)
            kept = PersonalData.from_json(row.kept or "")
            # Our own change is not overtaken by what was read before it.
            is_renamed = coming.is_empty and user.follow(kept.full_name)
        if is_renamed:
            await self._live.publish(Change(customer.user_id, "account"))
        person = kept.changed_by(coming)
        return ProfileView(person, user.language, not coming.is_empty, note, row.read_at if error else None)

    async def change(self, customer: Customer, change: ProfileChange, *, session_id: UUID) -> None:
        """Take a change; what is so already is left out. The rest happens by itself, once the vendors answer.

        Raises StepUpNeeded for a new phone number, RateLimited.
        """
        view = await self.profile_for(customer)
        change = change.against(view.person).without(ProfileChange(language=view.language))
        if change.phone is not None:
            await self._base.sessions.require_recent(session_id)
        await self._set_language(customer, change.language)
        await self.carry_out(customer, change)

    async def carry_out(self, customer: Customer, change: ProfileChange) -> None:
        """Write a change down and let it happen, after the one that is on its way. Raises RateLimited."""
        if change.is_empty:
            return
        await self._base.limits.hit(self._base.settings.portal_profile_limit, "profile", str(customer.user_id))
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            row = await ProfileRow.locked(session, customer.user_id)
            if change.address is not None:
                # Which lines there are depends on the building: what was found for the old one is void.
                (await EligibilityRow.locked(session, customer.user_id)).forget()
            row.wanted = ProfileChange.from_json(row.wanted).then(change).to_json()
            row.stands = ""
            row.version += 0 if row.is_busy else 1
            name = f"save-profile-{customer.user_id}-{row.version}"
            if row.is_busy:
                await self._base.queue.send(session, name, "more", topic=WakeTopic.PROFILE, key=uuid4().hex)
            else:
                row.is_busy = True
                await self._base.queue.enqueue(session, "save_profile", name, str(customer.user_id))
            record(session, Tag.PROFILE_CHANGED, user_id=customer.user_id, actor="you", detail=change.parts())
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
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            row = await ProfileRow.locked(session, customer.user_id)
            row.kept = person.confirmed_by(PersonalData.from_json(row.kept) if row.kept else None).to_json()
            row.read_at = now()
        # Open pages show what was saved only where somebody stopped waiting.
        return False

    async def _row(self, customer: Customer) -> ProfileRow:
        """Return what is saved of a customer: an empty row where that is nothing yet."""
        async with self._base.database.unit_of_work(customer=customer.user_id) as session:
            return await session.get(ProfileRow, customer.user_id) or ProfileRow(user_id=customer.user_id)

    def _is_fresh(self, row: ProfileRow) -> bool:
        return bool(row.kept) and is_fresh(row.read_at, self._base.settings.cache_profile_seconds, at=now())

    async def _set_language(self, customer: Customer, language: str | None) -> None:
        if language is None:
            return
        async with self._base.database.identity() as session:
            (await User.required(session, customer.user_id)).language = language
