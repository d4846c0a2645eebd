"""What tests do and see: customers with a card, orders, the back office, and counts at every vendor."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlmodel import col, select

from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.identifiers import customer_number, step_reference
from portal_app.domain.identity.account import Origin
from portal_app.domain.orders.order import Order
from portal_app.domain.profile.customer import Customer, Profile
from portal_app.infra.settings import Settings
from portal_app.models.email_outbox import Mail
from portal_app.models.sim import SimReservation
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal
from tests.support.clients.owner import Owner
from tests.support.clients.placing import place_order
from tests.support.values.people import ADDRESS, PERSON
from tests.support.waiting import LONGEST_SECONDS, until

SKU = "VPN-REMOTE-ACCESS-USA-SF"
_BROWSER = Origin(address="127.0.0.1", browser="test")
_NUMBERS = itertools.count(int(time.time()) % 10_000_000 + 50_000_000)


@dataclass(frozen=True)
class Buyer:
    """Somebody who is set up everywhere."""

    customer: Customer
    email: str


class PortalDriver:
    """The portal's services, the sandbox's back office and the database, for one test."""

    def __init__(self, web: Portal, worker: Portal, office: str, database: str) -> None:
        self.web = web
        self.settings: Settings = web.settings
        self.onboarding = worker.registration.account_setup
        self.mappings = worker.database
        self.vendors = worker.vendors
        self._worker = worker
        self._owner = Owner(database)
        # Shorter than the server waits: a connection that it closes just then would lose a call.
        limits = httpx.Limits(keepalive_expiry=2)
        self.office = httpx.AsyncClient(base_url=f"{office}/api", timeout=LONGEST_SECONDS, limits=limits)
        self._whmcs = httpx.AsyncClient(timeout=LONGEST_SECONDS)

    async def close(self) -> None:
        """Give the connections back."""
        await self.office.aclose()
        await self._whmcs.aclose()
        await self._owner.close()

    # -- customers

    async def buyer(self, *, card: bool = True) -> Buyer:
        """Set somebody up at WHMCS, Salesforce and here, as a finished sign-up leaves it."""
        number = customer_number(next(_NUMBERS))
        email = f"{number.lower()}@faults.example.jp"
        profile = Profile.parse(email, {**PERSON, **ADDRESS})
        client_id = await self._worker.vendors.clients.add_client(profile, customer_number=number, password="x" * 20)
        async with self._worker.database.unit_of_work() as session:
            user = User(
                email=email,
                email_index=self._worker.identity.secrets.ring.index(email, EMAIL_PLACE),
                password_hash="",
                name=profile.full_name,
                customer_number=number,
                status="active",
            )
            session.add(user)
        crm = await self._worker.vendors.crm.upsert_customer(
            profile, user_id=user.id, customer_number=number, whmcs_client_id=client_id
        )
        mapping = IdMapping(
            user_id=user.id,
            whmcs_client_id=client_id,
            sf_account_id=crm.account_id,
            sf_contact_id=crm.contact_id,
            customer_number=number,
        )
        customer = mapping.to_domain()
        async with self._worker.database.unit_of_work() as session:
            session.add(mapping)
        buyer = Buyer(customer, email)
        if card:
            await self.add_card(buyer)
        return buyer

    async def add_card(self, buyer: Buyer) -> None:
        """Store a card at WHMCS, as its own page does."""
        await self._call_whmcs(
            "AddPayMethod",
            clientid=buyer.customer.whmcs_client_id,
            type="RemoteCreditCard",
            gateway_module_name="stripe",
            card_number="4242424242424242",
            card_expiry="1231",
        )

    async def remove_cards(self, buyer: Buyer) -> None:
        """Take every card away."""
        client_id = buyer.customer.whmcs_client_id
        found = await self._call_whmcs("GetPayMethods", clientid=client_id)
        for method in found["paymethods"]:
            await self._call_whmcs("DeletePayMethod", clientid=client_id, paymethodid=method["id"])

    async def _call_whmcs(self, action: str, **fields: Any) -> dict[str, Any]:
        own = self.settings
        form = {
            "action": action,
            "identifier": own.whmcs_api_identifier,
            "secret": own.whmcs_api_secret.get_secret_value(),
            "responsetype": "json",
            **fields,
        }
        answer = (await self._whmcs.post(own.whmcs_api_url, data=form)).json()
        assert answer["result"] == "success", answer
        return dict(answer)

    async def sign_up(self, email: str) -> UUID:
        """Sign up as a visitor does, code and form, and return the user; the set-up is left to a worker."""
        sign_ups = self.web.registration.sign_ups
        token = await sign_ups.begin(email, _BROWSER)
        await sign_ups.verify_mailbox(token, await self.code_for(email))
        form = {**PERSON, **ADDRESS, "password": "a-long-walk-in-spring", "terms": "on"}
        await sign_ups.complete(token, form, _BROWSER)
        index = self._worker.identity.secrets.ring.index(email, EMAIL_PLACE)
        return UUID(str(await self.value("SELECT id FROM users WHERE email_index = %s", index)))

    async def code_for(self, email: str) -> str:
        """Return the code that was mailed to an address."""
        async with self._worker.database.unit_of_work() as session:
            found = (await session.exec(select(Mail).where(Mail.template == "sign_up_code"))).all()
        return str(json.loads(next(mail.content for mail in found if mail.recipient == email))["code"])

    async def wait_for_user(self, user_id: UUID, status: str) -> None:
        """Wait until an account is active, or failed."""
        await until(
            lambda: self.value("SELECT status FROM users WHERE id = %s", user_id),
            f"the account is {status}",
            equals=status,
        )

    async def expect_set_up_once(self, user_id: UUID, email: str) -> None:
        """Check that somebody is one client, one account with one contact, mapped, and welcomed once."""
        (mapped,) = await self.rows(
            "SELECT whmcs_client_id, customer_number FROM id_mappings WHERE user_id = %s", user_id
        )
        assert [row["id"] for row in await self.clients_of(email)] == [mapped[0]]
        customer = await self._worker.vendors.crm.find_customer(mapped[1])
        query = "SELECT sf_account_id, sf_contact_id FROM id_mappings WHERE user_id = %s"
        assert customer is not None
        assert await self.rows(query, user_id) == [(customer.account_id, customer.contact_id)]
        assert await self.mails_written(user_id, "welcome") == 1

    async def mails_written(self, user_id: UUID, occasion: str) -> int:
        """Count the mails of one template to a user, sent or not."""
        return int(
            await self.value("SELECT count(*) FROM mails WHERE user_id = %s AND occasion = %s", user_id, occasion)
        )

    # -- orders

    async def place(self, buyer: Buyer, key: str = "", *, sku: str = SKU) -> Order:
        """Order a plan as the checkout does: a VPN, if nothing else is said."""
        key = key or f"checkout-{next(_NUMBERS)}"
        wish = OrderRequest(sku, has_accepted_terms=True)
        return await place_order(self.web, buyer.customer, wish, key=key, recipient=buyer.email)

    async def reviewed_orders(self, count: int) -> list[tuple[Buyer, Order]]:
        """Return orders of a customer each, waiting for review; a worker must run."""
        buyers = await asyncio.gather(*(self.buyer() for _ in range(count)))
        orders = await asyncio.gather(*(self.place(buyer) for buyer in buyers))
        await self.wait_for_stages(orders, "in_review")
        return list(zip(buyers, orders, strict=True))

    async def expect_all_active_once(self, bought: list[tuple[Buyer, Order]]) -> None:
        """Wait until all orders are active, then check that each is so everywhere and once."""
        await self.wait_for_stages([order for _, order in bought], "active")
        for buyer, order in bought:
            await self.expect_active_once(buyer, order)
            assert await self.orders_at_whmcs(buyer) == 1

    async def stage(self, order: Order) -> str:
        """Return how an order stands for its customer."""
        return str(await self.value("SELECT stage FROM orders WHERE id = %s", order.id))

    async def wait_for_stage(self, order: Order, stage: str) -> None:
        """Wait until an order has reached a stage."""
        await self.wait_for_stages([order], stage)

    async def wait_for_stages(self, orders: list[Order], stage: str) -> None:
        """Wait until all orders have reached a stage."""
        ids = [order.id for order in orders]

        async def there() -> bool:
            query = "SELECT count(*) FROM orders WHERE id = ANY(%s) AND stage = %s"
            return await self.value(query, ids, stage) == len(orders)

        try:
            await until(there, f"all orders {stage}")
        except AssertionError as error:
            query = "SELECT id::text, stage, whmcs_order_id FROM orders WHERE id = ANY(%s)"
            raise AssertionError(f"{error}: {await self.rows(query, ids)}") from None

    # -- the agent

    async def review_of(self, order: Order) -> dict[str, Any]:
        """Return the order as the agent sees it in Salesforce."""
        found = await self.reviews_of(order)
        assert len(found) == 1, f"Salesforce has {len(found)} orders of ours"
        return found[0]

    async def reviews_of(self, order: Order) -> list[dict[str, Any]]:
        """Return what Salesforce has of an order: one row, unless something went wrong."""
        return [row for row in (await self.office.get("/orders")).json() if row["portal_order_id"] == str(order.id)]

    async def approve(self, order: Order) -> None:
        """Approve an order in the back office."""
        await self._decide(order, "approve")

    async def reject(self, order: Order) -> None:
        """Reject an order in the back office."""
        await self._decide(order, "reject")

    async def _decide(self, order: Order, decision: str) -> None:
        review = await self.review_of(order)
        (await self.office.post(f"/orders/{review['id']}/{decision}")).raise_for_status()

    async def pass_time(self, *, seconds: float) -> None:
        """Move the clock of all vendors on."""
        (await self.office.post("/clock", json={"seconds": seconds})).raise_for_status()

    async def set_faults(self, vendor: str, **faults: Any) -> None:
        """Make a vendor slow, flaky, forgetful or dead; without faults it is well."""
        (await self.office.post(f"/faults/{vendor}", json=faults)).raise_for_status()

    async def all_well(self) -> None:
        """Clear the faults of every vendor."""
        for vendor in ("whmcs", "salesforce", "pubsub", "freebit", "mail"):
            await self.set_faults(vendor)

    async def order_at_salesforce(self, buyer: Buyer, *, sku: str = SKU, **fields: Any) -> str:
        """Make an order for a customer in the back office and return its id there."""
        wanted = {"customer": buyer.customer.customer_number, "skus": [sku], "fields": fields}
        answer = await self.office.post("/orders", json=wanted)
        return str(answer.raise_for_status().json()["id"])

    async def decide_identity(self, buyer: Buyer, decision: str = "verify", note: str = "") -> None:
        """Verify or reject a customer's identity in the back office."""
        path = f"/identities/{buyer.customer.customer_number}/{decision}"
        (await self.office.post(path, json={"note": note})).raise_for_status()

    async def let_time_pass(self, order: Order, time: timedelta) -> None:
        """Make the last change of an order older."""
        await self.rows("UPDATE orders SET updated_at = updated_at - %s WHERE id = %s", time, order.id)

    async def cases_about(self, order: Order) -> list[dict[str, Any]]:
        """Return the cases that agents have about an order."""
        rows = (await self.office.get("/cases")).json()
        return [row for row in rows if row["reference"] == str(order.id)]

    async def edit_review(self, order: Order, **fields: Any) -> None:
        """Fill in fields of an order in the back office."""
        review = await self.review_of(order)
        (await self.office.post(f"/orders/{review['id']}", json=fields)).raise_for_status()

    # -- SIM lines

    async def stock(self, count: int, *, esim: bool = False) -> list[str]:
        """Put blank SIMs into stock and return their numbers."""
        answer = await self.office.post("/sim-lines/stock", json={"count": count, "esim": esim})
        return list(answer.raise_for_status().json()["numbers"])

    async def retire(self, stock_id: str) -> None:
        """Take a SIM out of the inventory."""
        (await self.office.post(f"/sim-lines/stock/{stock_id}/retire")).raise_for_status()

    async def sim_lines(self) -> list[dict[str, Any]]:
        """Return the lines the carrier has."""
        return list((await self.office.get("/sim-lines")).json()["lines"])

    async def sim_jobs(self) -> list[dict[str, Any]]:
        """Return every job the carrier ever accepted and did not refuse, done or not."""
        jobs = (await self.office.get("/sim-lines")).json()["jobs"]
        return [job for job in jobs if job["state"] != "failed"]

    async def product_number_of(self, order: Order) -> str:
        """Return the product number of the SIM that the inventory assigns to an order."""
        sim = await self.vendors.sim_inventory.assigned_to((await self.review_of(order))["id"])
        assert sim is not None, "no SIM is assigned"
        return sim.product_number

    async def wait_for_step(self, order: Order, step: str) -> None:
        """Wait until the timeline of an order has a step."""

        async def there() -> bool:
            return step in [name for name, _ in await self.timeline(order)]

        await until(there, f"the step {step}")

    async def lines_of(self, *orders: Order) -> dict[UUID, dict[str, Any]]:
        """Return the one line of each order; fail where two orders share one or one is missing."""
        ids = [order.id for order in orders]
        numbers = await self._numbers(ids)
        assert len(set(numbers.values())) == len(ids), "two orders share a line, or one has none"
        lines = await self.sim_lines()
        found = {order: [line for line in lines if line["account"] == number] for order, number in numbers.items()}
        assert all(len(each) == 1 for each in found.values()), f"lines: {[len(each) for each in found.values()]}"
        return {order: each[0] for order, each in found.items()}

    async def _numbers(self, ids: list[UUID]) -> dict[UUID, str]:
        async with self._worker.database.unit_of_work() as session:
            rows = (await session.exec(select(SimReservation).where(col(SimReservation.order_id).in_(ids)))).all()
        return {row.order_id: row.number for row in rows}

    # -- counts

    async def billed(self, order: Order) -> set[int]:
        """Return the WHMCS orders that carry an order's reference."""
        reference = step_reference(order.id, "whmcs", order.attempt)
        services = (await self.office.get("/whmcs/services")).json()
        return {row["orderid"] for row in services if reference in row["customfields"].values()}

    async def clients_of(self, email: str) -> list[dict[str, Any]]:
        """Return the WHMCS clients with an address."""
        return [row for row in (await self.office.get("/whmcs/clients")).json() if row["email"] == email]

    async def orders_at_whmcs(self, buyer: Buyer) -> int:
        """Count the WHMCS orders of a customer, whatever their reference."""
        rows = (await self.office.get("/whmcs/orders")).json()
        return sum(row["userid"] == buyer.customer.whmcs_client_id for row in rows)

    async def mails_to(self, email: str, about: str = "", *, containing: str = "") -> list[dict[str, Any]]:
        """Return the mails that reached a mailbox, by a word of the subject and a word of the text."""
        found = (await self.office.get("/mail", params={"to": email})).json()
        return [row for row in found if about in row["subject"].lower() and containing in row["text"]]

    async def expect_active_once(self, buyer: Buyer, order: Order) -> None:
        """Check that an order is active everywhere and nothing of it exists twice."""
        assert await self.stage(order) == "active"
        billed = await self.billed(order)
        assert len(billed) == 1, f"WHMCS holds {len(billed)} orders"
        review = await self.review_of(order)
        assert (review["status"], review["activation_status"]) == ("Processed", "Activated")
        assert review["whmcs_order_id"] == str(*billed)
        written = await self.mails_written(buyer.customer.user_id, "order_active")
        assert written == 1, f"{written} mails; {await self.timeline(order)}"

    async def timeline(self, order: Order) -> list[tuple[Any, ...]]:
        """Return the steps an order went through and who took them."""
        return await self.rows("SELECT step, source FROM order_events WHERE order_id = %s ORDER BY at", order.id)

    # -- the database

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, asked as the database's owner."""
        return await self._owner.rows(query, *values)

    async def value(self, query: str, *values: Any) -> Any:
        """Return the one value of a query."""
        return (await self.rows(query, *values))[0][0]


def provision_of(order: Order) -> str:
    """Return the name of an order's provisioning."""
    return f"provision-{order.id}-{order.attempt}"


def sign_up_of(user_id: UUID) -> str:
    """Return the name of the workflow that sets an account up."""
    return f"sign-up-{user_id}"


def new_email() -> str:
    """Return an address nobody has."""
    return f"visitor{next(_NUMBERS)}@faults.example.jp"
