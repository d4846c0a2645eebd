"""Finding out who has an account."""

from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor
from tests.support.running.world import BEN


def looks_of(answer: httpx.Response) -> tuple[int, int, list[str], int, list[int]]:
    """Return everything an outsider can compare, without random parts: status, size, headers, cookies."""
    cookies = [len(cookie) for cookie in answer.headers.get_list("set-cookie")]
    headers = sorted(name for name in answer.headers if name != "x-request-id")
    return answer.status_code, len(answer.content), headers, len(answer.headers.get("location", "")), cookies


async def test_signing_in_answers_the_same_for_known_and_unknown_addresses(visitor: Visitor) -> None:
    unknown = "n" * (len(BEN) - len("@example.jp")) + "@example.jp"
    for send in (
        lambda email: visitor.call("POST", "/api/auth/login", {"email": email, "password": "wrong"}),
        lambda email: visitor.submit("/api/auth/login", email=email, password="wrong"),
    ):
        one, other = await send(BEN), await send(unknown)
        assert looks_of(one) == looks_of(other) and one.content == other.content


async def test_signing_in_says_the_same_to_both(visitor: Visitor, portal: Portal) -> None:
    seen = []
    for email in (BEN, f"{uuid4().hex}@example.jp"):
        answer = await visitor.submit("/api/auth/login", email=email, password="wrong")
        flash = await portal.flash_messages.read(urlsplit(answer.headers["location"]).query.removeprefix("flash="))
        seen.append(flash["form"])
    assert seen[0] == seen[1]


async def test_signing_up_answers_the_same_for_known_and_unknown_addresses(visitor: Visitor) -> None:
    unknown = f"{uuid4().hex}@example.jp"
    for send in (
        lambda email: visitor.call("POST", "/api/auth/signup", {"email": email}),
        lambda email: visitor.submit("/api/auth/signup", email=email),
        lambda _: visitor.submit("/api/auth/signup/resend"),
    ):
        one, other = await send(BEN), await send(unknown)
        assert looks_of(one) == looks_of(other) and one.content == other.content


async def test_a_code_is_refused_the_same_for_known_and_unknown_addresses(visitor: Visitor) -> None:
    seen = []
    for email in (BEN, f"{uuid4().hex}@example.jp"):
        await visitor.call("POST", "/api/auth/signup", {"email": email})
        answers = [await visitor.call("POST", "/api/auth/signup/verify", {"code": "no"}) for _ in range(6)]
        seen.append([(looks_of(answer), answer.content) for answer in answers])
    assert seen[0] == seen[1]


async def test_a_used_up_code_cannot_be_guessed_on(visitor: Visitor) -> None:
    await visitor.call("POST", "/api/auth/signup", {"email": f"{uuid4().hex}@example.jp"})
    for _ in range(5):
        await visitor.call("POST", "/api/auth/signup/verify", {"code": "no"})
    answer = await visitor.call("POST", "/api/auth/signup/verify", {"code": "no"})
    assert answer.json()["fields"]["code"].startswith("No tries are left")
