"""Words of SOQL beyond the plain query: aliases, FIELDS(), owners' kinds, and endings."""

from typing import Any

import httpx
import pytest

from tests.contract.sandbox_salesforce.running import Org


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
        ("SELECT Id FROM Account LIMIT 1.5", "MALFORMED_QUERY", "unexpected token: '1.5'"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
        ("SELECT Id, Name, name FROM Account", "INVALID_FIELD", "duplicate field selected: name"),
        ("SELECT a.Name, Name FROM Account a", "INVALID_FIELD", "duplicate field selected: Name"),
        ("SELECT FIELDS(STANDARD), Name FROM Account", "INVALID_FIELD", "duplicate field selected: Name"),
        ("SELECT Owner.Name, Owner.name FROM Account", "INVALID_FIELD", "duplicate field selected: Owner.name"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT FIELDS(SOME) FROM Account", "MALFORMED_QUERY", "FIELDS function"),
        ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Id FROM Account LIMIT 1 FOR UPDATE", "MALFORMED_QUERY", "FOR UPDATE not allowed in this context"),
        ("SELECT Id FROM Account FOR FUN", "MALFORMED_QUERY", "unexpected token: 'FUN'"),
        ("SELECT Account.Type FROM Contact WHERE Account.Owner.Kind = 'User'", "INVALID_FIELD", "Kind"),
        ("SELECT Type FROM User", "INVALID_FIELD", "Type"),
        ("SELECT b.Name FROM Account a", "INVALID_FIELD", "'b'"),
    ],
)
async def test_a_query_that_means_nothing_is_refused(
    api: httpx.AsyncClient, query: str, code: str, message: str
) -> None:
    answer = await api.get("/query", params={"q": query})

    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert message in error["message"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT a.Name FROM Account a WHERE a.Name = 'A' ORDER BY a.Name LIMIT 1", {"Name": "A"}),
        ("SELECT a.Name, COUNT(a.Id) n FROM Account a GROUP BY a.Name ORDER BY COUNT(a.Id)", {"Name": "A", "n": 1}),
        ("SELECT Name FROM Account a WHERE a.Id IN (SELECT c.AccountId FROM Contact c)", {"Name": "A"}),
        ("SELECT Owner.Type FROM Account WHERE Owner.Type = 'User'", {"Owner.Type": "User"}),
        ("SELECT Account.Owner.Type FROM Contact", {"Account.Owner.Type": "User"}),
        ("SELECT Name FROM Account FOR VIEW", {"Name": "A"}),
        ("SELECT Name FROM Account LIMIT 1 FOR VIEW FOR REFERENCE", {"Name": "A"}),
        ("SELECT FIELDS(STANDARD) FROM Account", {"Name": "A", "IsDeleted": False}),
        ("SELECT FIELDS(CUSTOM), Name FROM Account LIMIT 200", {"SF_Account_No__c": "C1", "Name": "A"}),
    ],
)
async def test_a_query_finds_by_other_words(
    org: Org, api: httpx.AsyncClient, query: str, found: dict[str, Any]
) -> None:
    account_id = org.sandbox.rows.create("Account", {"Name": "A", "SF_Account_No__c": "C1"})
    org.sandbox.rows.create("Contact", {"LastName": "B", "AccountId": account_id})

    (row,) = (await api.get("/query", params={"q": query})).json()["records"]

    assert {path: _at(row, path) for path in found} == found


def _at(row: dict[str, Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    return _at(row[head], rest) if rest else row[head]


async def test_fields_functions_take_their_own_fields_alone(org: Org, api: httpx.AsyncClient) -> None:
    org.sandbox.rows.create("Account", {"Name": "A"})

    async def fields(which: str) -> set[str]:
        answer = await api.get("/query", params={"q": f"SELECT FIELDS({which}) FROM Account LIMIT 1"})
        return set(answer.json()["records"][0]) - {"attributes"}

    standard, custom = await fields("STANDARD"), await fields("CUSTOM")
    assert standard | custom == await fields("ALL")
    assert {name for name in standard | custom if name.endswith("__c")} == custom
