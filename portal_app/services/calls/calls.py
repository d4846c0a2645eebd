"""What customers see of their calls and SMS: a month at a time, after a recent proof of identity."""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.calls.call import CallMonth, NumbersShown, month_text
from portal_app.domain.errors import NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.infra.clock import today
from portal_app.infra.database.database import Database
from portal_app.models.sim_call import SimCall
from portal_app.models.sim_line import SimLineRow
from portal_app.services.audit import Tag, record

# The line of a service that is over keeps its records for as long as others.
_WITH_CALLS = ("linked", "ended")


class CallDetails:
    """Read records of a customer's own line. Doors require the proof of identity before they call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require_line(self, customer: Customer, service_id: int) -> None:
        """Raise NotFound for a service without a line, also for another customer's. Reads no record."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await _line(session, customer, service_id)

    async def of_month(self, customer: Customer, service_id: int, month: date | None) -> CallMonth:
        """Return a month's records, of the newest month with any where none is named.

        Raises NotFound for a service without a line, also for another customer's.
        """
        user_id = customer.user_id
        async with self._database.unit_of_work(customer=user_id) as session:
            await _line(session, customer, service_id)
            months = await SimCall.months_of(session, user_id, service_id)
            chosen = month or (months[0] if months else today().replace(day=1))
            calls = await SimCall.of_month(session, user_id, service_id, chosen) if chosen in months else []
        return CallMonth(chosen, tuple(months), tuple(calls))

    async def note_taken(self, customer: Customer, service_id: int, month: date, *, numbers: NumbersShown) -> None:
        """Record in the account's history that a month was handed out, as a file or with whole numbers."""
        detail = {"service": str(service_id), "month": month_text(month), "numbers": numbers}
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            record(session, Tag.CALLS_TAKEN, user_id=customer.user_id, actor="you", detail=detail)


async def _line(session: AsyncSession, customer: Customer, service_id: int) -> SimLineRow:
    line = await SimLineRow.of_service(session, customer.user_id, service_id)
    if line is None or line.state not in _WITH_CALLS:
        raise NotFound("no SIM line")
    return line
