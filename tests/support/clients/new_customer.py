"""A customer of one test, signed in, with nothing yet."""

from collections.abc import AsyncIterator
from secrets import token_hex

import pytest_asyncio

from portal_app.domain.profile.customer import Customer
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, new_account
from tests.support.clients.whmcs_clients import new_client


@pytest_asyncio.fixture
async def chiyo(visitor: Visitor, worker: Portal) -> AsyncIterator[tuple[Visitor, Customer]]:
    """A customer of one test, signed in, with a WHMCS client that has nothing yet."""
    email = await new_account(worker)
    _, client_id = await new_client(email)
    async with worker.database.identity() as session:
        user = await User.by_email(session, worker.identity.secrets.ring.index(email, EMAIL_PLACE))
    async with worker.database.unit_of_work() as session:
        ids = {"sf_account_id": f"001{token_hex(7)}A", "sf_contact_id": f"003{token_hex(7)}A"}
        mapping = IdMapping(user_id=user.id, whmcs_client_id=client_id, customer_number=token_hex(4), **ids)
        session.add(mapping)
    yield await visitor.sign_in(email), mapping.to_domain()
