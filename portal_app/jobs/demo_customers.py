"""Give the three customers of the sandbox's world a portal account each, linked over the wire as real ones are."""

import asyncio
import sys

from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal, build

PASSWORD = "correct-horse-battery"  # noqa: S105  the demo's, printed for the person who runs it
PEOPLE = (
    ("aiko@example.jp", "Aiko Tanaka", "new here, no card yet"),
    ("ben@example.jp", "Ben Carter", "has a VPN"),
    ("hana@example.jp", "Hana Sato", "has three SIM lines, and one that is not linked"),
)


async def link_all(settings: Settings) -> list[str]:
    """Create what is missing and return one line per customer."""
    portal = build(settings, role="worker")
    try:
        return [await _link(portal, email, name, about) for email, name, about in PEOPLE]
    finally:
        await portal.close()


async def link_lines(settings: Settings) -> None:
    """Find the SIM lines of the customers' services, as the worker would at night."""
    portal = build(settings, role="worker")
    try:
        for email, _, _ in PEOPLE:
            async with portal.database.unit_of_work() as session:
                user = await User.by_email(session, portal.identity.secrets.ring.index(email, EMAIL_PLACE))
                customer = await IdMapping.customer_of(session, user.id) if user else None
            if customer:
                for service in await portal.vendors.subscriptions.subscriptions(customer.whmcs_client_id):
                    await portal.sim.links.link(customer.user_id, service.id)
    finally:
        await portal.close()


async def _link(portal: Portal, email: str, name: str, about: str) -> str:
    index = portal.identity.secrets.ring.index(email, EMAIL_PLACE)
    async with portal.database.unit_of_work() as session:
        known = await User.by_email(session, index)
    if known is None:
        client = await portal.vendors.clients.find_client(email)
        if client is None:
            return f"  {name:<13} is not in the sandbox's world any more"
        crm = await portal.vendors.crm.find_customer(client.customer_number)
        if crm is None:
            return f"  {name:<13} has no Salesforce account in the sandbox's world"
        hashed = await portal.identity.secrets.passwords.hash(PASSWORD)
        async with portal.database.unit_of_work() as session:
            user = User(
                email=email,
                email_index=index,
                password_hash=hashed,
                name=name,
                customer_number=client.customer_number,
                status="active",
            )
            session.add(user)
            await session.flush()
            session.add(
                IdMapping(
                    user_id=user.id,
                    whmcs_client_id=client.id,
                    sf_account_id=crm.account_id,
                    sf_contact_id=crm.contact_id,
                    customer_number=client.customer_number,
                )
            )
    return f"  {name:<13} {email}  password: {PASSWORD}  ({about})"


if __name__ == "__main__":
    set_up_logs(process="demo", log_format="text", level="WARNING")
    sys.stdout.write("\n".join(asyncio.run(link_all(Settings()))) + "\n")
    asyncio.run(link_lines(Settings()))
