"""Users of tests without a world."""

from uuid import UUID, uuid4

from portal_app.infra.database.database import Database
from portal_app.infra.security.encryption import KeyRing
from portal_app.models.user import EMAIL_PLACE, User


async def new_user(database: Database, ring: KeyRing) -> UUID:
    """Store a user, as sign-up would."""
    email = f"{uuid4().hex}@example.jp"
    async with database.identity() as session:
        user = User(
            email=email,
            email_index=ring.index(email, EMAIL_PLACE),
            password_hash="-",
            name="Taro Tanaka",
            customer_number=uuid4().hex[:9],
        )
        session.add(user)
    return user.id
