"""Bodies, paths and queries that no honest client sends: each is refused in words, none breaks the connection."""

import json
from typing import Any

import httpx
import pytest

_ACCOUNT = {"attributes": {"type": "Account"}, "Name": "A"}
_URL = "/services/data/v62.0/sobjects/Account"
_PART = {"method": "POST", "url": _URL, "referenceId": "one", "body": {"Name": "A"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/composite/sobjects", {"records": [{"attributes": 5, "Name": "A"}]}),
        ("/composite/sobjects", {"records": [{"attributes": {"type": 5}}]}),
        ("/composite/sobjects/Account", {"ids": 5, "fields": ["Id"]}),
        ("/composite/sobjects/Account", {"ids": ["x"], "fields": [5]}),
        ("/composite/tree/Account", {"records": [_ACCOUNT | {"attributes": 5}]}),
        ("/composite/batch", {"batchRequests": [{"method": 5, "url": "v62.0/limits"}]}),
        ("/composite/batch", {"batchRequests": [{"method": "GET", "url": 5}]}),
        ("/composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": 5}]}),
        ("/composite", {"compositeRequest": [_PART | {"httpHeaders": 5}]}),
        ("/composite", {"compositeRequest": [_PART | {"url": "http://[x"}]}),
        ("/composite", {"compositeRequest": [_PART | {"body": 5}]}),
        ("/sobjects/Account", {"Name": "\ud800"}),
        ("/sobjects/Account", {"Name": "A", "Description": ["\udfff"]}),
        ("/sobjects/Product2", {"Name": "A", "Display_Order__c": 10**400}),
        ("/sobjects/Product2", {"Name": "A", "Display_Order__c": float("nan")}),
        ("/sobjects/Account", {"Name": "A", "Internet_Eligibility_Checked_At__c": "9999-12-31T23:59:59-14:00"}),
    ],
)
async def test_a_body_of_the_wrong_shape_is_refused(api: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await api.post(path, content=json.dumps(body))

    assert answer.status_code < 500
    assert {"errorCode", "statusCode"} & _keys(answer.json())


def _keys(found: Any) -> set[str]:
    if isinstance(found, dict):
        return set(found) | {key for inner in found.values() for key in _keys(inner)}
    return {key for inner in found for key in _keys(inner)} if isinstance(found, list) else set()


async def test_bodies_nested_without_end_are_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/sobjects/Account", content="[" * 100_000)

    assert answer.json()[0]["errorCode"] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:999999999",
        "SELECT Id FROM Account WHERE CreatedDate > NEXT_N_DAYS:9999999",
        "SELECT Id FROM Contact WHERE Birthdate = 9999-12-31",
        "SELECT Id FROM Account WHERE " + "(" * 5000 + "Name = 'A'" + ")" * 5000,
    ],
)
async def test_a_query_beyond_all_bounds_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.post("/composite/batch", json={"batchRequests": [{"method": "GET", "url": _query_url(query)}]})

    assert answer.json()["results"][0]["result"][0]["errorCode"] in ("MALFORMED_QUERY", "QUERY_TOO_COMPLICATED")


def _query_url(query: str) -> str:
    return f"v62.0/query?{httpx.QueryParams(q=query)}"


async def test_bytes_do_not_fit_into_a_composite_answer(api: httpx.AsyncClient) -> None:
    made = await api.post("/sobjects/ContentVersion", json={"PathOnClient": "a.txt", "VersionData": "eA=="})
    url = f"v62.0/sobjects/ContentVersion/{made.json()['id']}/VersionData"

    batch = await api.post("/composite/batch", json={"batchRequests": [{"method": "GET", "url": url}]})
    part = {"method": "GET", "url": f"/services/data/{url}", "referenceId": "file"}
    composite = await api.post("/composite", json={"compositeRequest": [part]})

    assert batch.json()["results"][0]["statusCode"] == 400
    assert composite.json()["compositeResponse"][0]["body"][0]["errorCode"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/query/01gxx0000000000AAA-\u00b2", {}),
        ("/query?q=SELECT+Id+FROM+Account", {"Sforce-Query-Options": b"batchSize=\xb2"}),
        ("/sobjects/User/005xx000001SwiUAAS", {"If-Modified-Since": b"Mon, 30 Nov 2026 10:00:00 -0000"}),
        ("/sobjects/User/005xx000001SwiUAAS", {"If-Modified-Since": b"Mon, 30 Nov 99999999999 10:00:00 GMT"}),
    ],
)
async def test_a_path_or_header_of_odd_digits_is_answered(
    api: httpx.AsyncClient, path: str, headers: dict[str, bytes]
) -> None:
    answer = await api.get(path, headers=headers)

    assert answer.status_code < 500


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT Account.Id, Account.Name FROM Account", {"Name": "A"}),
        ("SELECT Account.BillingAddress, Name FROM Account WHERE Account.Name = 'A'", {"Name": "A"}),
        ("SELECT Account.Name, COUNT(Account.Id) n FROM Account GROUP BY Account.Name", {"Name": "A", "n": 1}),
        ("SELECT Account.Owner.Name FROM Account ORDER BY Account.Name", {"Owner": "Portal Integration"}),
        ("SELECT Name, (SELECT Contact.LastName FROM Contacts) FROM Account", {"Name": "A", "Contacts": None}),
    ],
)
async def test_an_object_may_name_itself_before_its_fields(
    api: httpx.AsyncClient, query: str, found: dict[str, Any]
) -> None:
    await api.post("/sobjects/Account", json={"Name": "A"})

    (row,) = (await api.get("/query", params={"q": query})).json()["records"]

    assert found == {key: row[key]["Name"] if key == "Owner" else row[key] for key in found}
