"""Conditional requests: entity tags of accounts, dates of rows and descriptions."""

from datetime import timedelta

import httpx
import pytest

from tests.contract.sandbox_salesforce.running import Org

_FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"
_PAST = "Wed, 01 Jan 2020 00:00:00 GMT"


async def test_an_accounts_tag_answers_for_its_state(org: Org, api: httpx.AsyncClient) -> None:
    path = f"/sobjects/Account/{org.sandbox.rows.create('Account', {'Name': 'A'})}"
    tag = (await api.get(path)).headers["etag"]

    async def read(**conditions: str) -> int:
        return (
            await api.get(path, headers={key.replace("_", "-"): value for key, value in conditions.items()})
        ).status_code

    async def write(name: str, tags: str) -> int:
        return (await api.patch(path, headers={"If-Match": tags}, json={"Name": name})).status_code

    assert (await read(If_None_Match=tag), await read(If_None_Match=f'"x", {tag[:-1]}-gzip"')) == (304, 304)
    assert (await read(If_None_Match='"x"', If_Modified_Since=_FUTURE), await read(If_Match='"x"')) == (200, 412)
    assert (await write("B", tag), await write("C", tag), await write("D", "*")) == (204, 412, 204)
    assert await read(If_None_Match=tag) == 200
    assert (await api.get(path)).json()["Name"] == "D"


@pytest.mark.parametrize(
    ("method", "header", "date", "status"),
    [
        ("GET", "If-Modified-Since", _FUTURE, 304),
        ("GET", "If-Modified-Since", _PAST, 200),
        ("GET", "If-Unmodified-Since", _PAST, 412),
        ("PATCH", "If-Unmodified-Since", _PAST, 412),
        ("PATCH", "If-Unmodified-Since", _FUTURE, 204),
        ("PATCH", "If-Modified-Since", _FUTURE, 412),
        ("PATCH", "If-Match", '"of no meaning here"', 204),
        ("PATCH", "If-Unmodified-Since", "soon", 400),
    ],
)
async def test_a_rows_date_decides(
    org: Org, api: httpx.AsyncClient, method: str, header: str, date: str, status: int
) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "A"})
    body = {"Subject": "B"} if method == "PATCH" else None
    answer = await api.request(method, f"/sobjects/Case/{case_id}", headers={header: date}, json=body)

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/sobjects", "/sobjects/Account/describe", "/sobjects/Order/describe"])
async def test_a_known_description_is_not_sent_again(org: Org, api: httpx.AsyncClient, path: str) -> None:
    first = await api.get(path, headers={"If-Modified-Since": _PAST})
    org.clock.advance(timedelta(hours=1))

    again = await api.get(path, headers={"If-Modified-Since": first.headers["last-modified"]})
    later = await api.get(path, headers={"If-Modified-Since": _FUTURE})

    assert (first.status_code, again.status_code, again.content, later.status_code) == (200, 304, b"", 304)


async def test_an_upsert_by_id_keeps_to_the_conditions(org: Org, api: httpx.AsyncClient) -> None:
    account_id = org.sandbox.rows.create("Account", {"Name": "A"})

    answer = await api.patch(f"/sobjects/Account/Id/{account_id}", headers={"If-Match": '"x"'}, json={"Name": "B"})

    assert answer.status_code == 412
