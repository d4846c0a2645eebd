"""The contact form: a question of somebody without an account becomes one case, after its address is proven."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from sqlmodel import select

from portal_app.domain.errors import RateLimited
from portal_app.domain.help.contact import ContactRequest, Stranger
from portal_app.domain.identity.account import Origin
from portal_app.domain.support.case import NewCase
from portal_app.models.contact_message import ContactMessage
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of, mailed
from tests.support.running.world import world

QUESTION = {"name": "佐藤 花", "category": "sim", "subject": "申し込みの前に", "text": "質問です。\n二行目。"}


async def waiting(worker: Portal, email: str) -> list[ContactMessage]:
    async with worker.database.unit_of_work() as session:
        rows = (await session.exec(select(ContactMessage))).all()
    return [row for row in rows if row.email == email]


async def asked(visitor: Visitor, worker: Portal, **other: str) -> tuple[str, str]:
    """Fill the form in, and return the address and the mailed code."""
    email = f"{uuid4().hex}@example.jp"
    answer = await visitor.submit("/api/contact", page="/ja/contact", **QUESTION | {"email": email} | other)
    assert answer.headers["location"] == "/ja/contact/code"
    mail = await mailed(worker, email)
    assert mail["occasion"] == "contact_code"
    return email, mail["code"]


async def test_a_proven_question_becomes_one_case_and_nothing_of_it_stays_here(
    visitor: Visitor, worker: Portal
) -> None:
    email, code = await asked(visitor, worker)
    answer = await visitor.submit("/api/contact/verify", page="/ja/contact/code", code=code)
    assert answer.headers["location"] == "/ja/contact?sent=yes"
    # The form is used up: a second click sends nothing.
    assert "flash" in (await visitor.submit("/api/contact/verify", code=code)).headers["location"]
    (message,) = await waiting(worker, email)
    # As after an answer that was lost: the second call finds the same case.
    ids = {await _open(worker, message) for _ in range(2)}
    await worker.help.contact.hand_over(message.id)
    await worker.help.contact.hand_over(message.id)
    assert await waiting(worker, email) == []
    (case,) = await worker.vendors.cases.changed_cases(list(ids))
    assert (case.account_id, case.subject, case.description) == ("", QUESTION["subject"], QUESTION["text"])
    assert (case.category, case.reference, case.is_shown) == ("SIM", str(message.id), True)


async def _open(worker: Portal, message: ContactMessage) -> str:
    stranger = Stranger(message.name, message.email, "ja")
    return await worker.vendors.cases.open_for_stranger(
        stranger, message.id, NewCase("sim", message.subject, message.text)
    )


async def test_nothing_is_sent_without_the_code_and_tries_are_few(visitor: Visitor, worker: Portal) -> None:
    email, code = await asked(visitor, worker)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(world().settings.portal_code_attempts):
        assert (await visitor.call("POST", "/api/contact/verify", {"code": wrong})).status_code == 422
    assert (await visitor.call("POST", "/api/contact/verify", {"code": code})).status_code == 422
    assert await waiting(worker, email) == []


async def test_a_refused_form_comes_back_into_view_with_what_was_typed(visitor: Visitor, portal: Portal) -> None:
    text = "長い質問。" * 300
    answer = await visitor.submit("/api/contact", email="no address", name="", text=text, category="sim")
    place = urlsplit(answer.headers["location"])
    # The form stands below the other ways to reach us, on phones a screen further down.
    assert (place.path, place.fragment) == ("/contact", "question")
    flash = await portal.flash_messages.read(parse_qs(place.query)["flash"][0])
    assert {"email", "name", "subject"} <= set(flash) and flash["typed:text"] == text


@pytest.mark.parametrize(
    "limit", ["portal_contact_limit", "portal_contact_network_limit", "portal_contact_total_limit"]
)
async def test_floods_are_bounded_by_address_network_and_in_all(portal: Portal, worker: Portal, limit: str) -> None:
    network = f"2001:db8:{uuid4().hex[:4]}::1"
    async with instead_of(portal, world().settings_with(**{limit: "2/day"})) as strict:
        outcomes = []
        for number in range(4):
            address = "same" if limit == "portal_contact_limit" else str(number)
            email = f"{address}.{limit}@{uuid4().hex[:8] if address != 'same' else 'flood'}.example.jp"
            request = ContactRequest.parse(QUESTION | {"email": email})
            place = network if limit == "portal_contact_network_limit" else f"2001:db8:{uuid4().hex[:4]}::1"
            try:
                origin = Origin(place, "", "ja")
                token = await strict.help.contact.begin(request, origin)
                await strict.help.contact.verify(token, (await mailed(worker, email))["code"], origin)
                outcomes.append(True)
            except RateLimited:
                outcomes.append(False)
        assert outcomes.count(True) <= 2 and outcomes[-1] is False
