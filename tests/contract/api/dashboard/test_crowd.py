"""Many customers visit for the first time at the same moment, and all are answered."""

import asyncio
import secrets

from portal_app.infra.security.cookies import cookie_name
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor

CROWD = 50


async def newcomers(worker: Portal) -> list[str]:
    """Store customers without mirrors, each with a session; return their access tokens."""
    tokens = []
    for _ in range(CROWD):
        number = secrets.randbelow(10**8)
        email, own = f"c{number}@crowd.example.jp", f"C{number:08}"
        ids = {"whmcs_client_id": number, "sf_account_id": f"001{number:015}", "sf_contact_id": f"003{number:015}"}
        async with worker.database.identity() as session:
            index = worker.identity.secrets.ring.index(email, EMAIL_PLACE)
            user = User(email=email, email_index=index, password_hash="", name="Chiyo", customer_number=own)
            user.status = "active"
            session.add(user)
            await session.flush()
            opened = await worker.identity.sessions.open(session, user.id, factors=("pwd",), browser="", address="")
        async with worker.database.unit_of_work() as session:
            session.add(IdMapping(user_id=user.id, customer_number=own, **ids))
        tokens.append(opened.access)
    return tokens


async def test_a_crowd_of_first_time_customers_is_answered(visitor: Visitor, worker: Portal) -> None:
    name = cookie_name(visitor.settings, "access")
    crowd = [{"Cookie": f"{name}={token}"} for token in await newcomers(worker)]
    answers = await asyncio.gather(*(visitor.http.get("/api/me/summary", headers=own) for own in crowd))
    assert [(answer.status_code, answer.text) for answer in answers if answer.status_code != 200] == []
