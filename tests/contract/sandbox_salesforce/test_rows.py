"""Rows over REST: create, read, change, delete, upsert and the refusals of each."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.contract.sandbox_salesforce.running import Org


async def create(api: httpx.AsyncClient, object_name: str, **fields: Any) -> str:
    answer = await api.post(f"/sobjects/{object_name}/", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_created_row_reads_back_with_system_fields(api: httpx.AsyncClient) -> None:
    row_id = await create(api, "account", name=" Sato Hanako ", BillingCity="Shibuya", BillingCountry="Japan")

    row = (await api.get(f"/sobjects/Account/{row_id[:15]}")).json()

    assert row["attributes"] == {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{row_id}"}
    assert (row["Id"], row["Name"], row["BillingCity"], row["Phone"]) == (row_id, "Sato Hanako", "Shibuya", None)
    assert row["CreatedById"] == row["OwnerId"] == "005xx000001SwiUAAS"
    assert row["CreatedDate"].endswith(".000+0000")
    assert row["IsDeleted"] is False


async def test_only_the_asked_fields_are_read(api: httpx.AsyncClient) -> None:
    row_id = await create(api, "Account", Name="A", BillingCity="Shibuya")

    row = (await api.get(f"/sobjects/Account/{row_id}?fields=Name,BillingAddress")).json()

    assert set(row) == {"attributes", "Id", "Name", "BillingAddress"}
    assert row["BillingAddress"]["city"] == "Shibuya"


async def test_null_clears_a_field_and_update_answers_nothing(api: httpx.AsyncClient) -> None:
    row_id = await create(api, "Contact", LastName="Sato", FirstName="Hanako", Email="h@example.com")

    answer = await api.patch(f"/sobjects/Contact/{row_id}", json={"FirstName": None})

    row = (await api.get(f"/sobjects/Contact/{row_id}")).json()
    assert (answer.status_code, answer.content) == (204, b"")
    assert (row["FirstName"], row["Name"]) == (None, "Sato")


async def test_deleted_row_is_gone_but_known_to_query_all(api: httpx.AsyncClient) -> None:
    row_id = await create(api, "Account", Name="A")

    deleted = await api.delete(f"/sobjects/Account/{row_id}")
    read = await api.get(f"/sobjects/Account/{row_id}")
    plain = await api.get("/query", params={"q": "SELECT Id FROM Account"})
    with_bin = await api.get("/queryAll/", params={"q": "SELECT Id, IsDeleted FROM Account"})

    assert deleted.status_code == 204
    assert (read.status_code, read.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert plain.json()["records"] == []
    assert with_bin.json()["records"][0]["IsDeleted"] is True


async def test_recycle_bin_is_emptied_after_fifteen_days(org: Org, api: httpx.AsyncClient) -> None:
    made = (await api.post("/sobjects/Account", json={"Name": "A", "SF_Account_No__c": "C1"})).json()["id"]
    await api.delete(f"/sobjects/Account/{made}")
    soql = {"q": "SELECT COUNT() FROM Account WHERE IsDeleted = true"}
    org.clock.advance(timedelta(days=14, hours=23))
    headers = {"Authorization": f"Bearer {await org.token()}"}
    kept = await api.get("/queryAll", params=soql, headers=headers)
    org.clock.advance(timedelta(hours=2))
    headers = {"Authorization": f"Bearer {await org.token()}"}
    purged = await api.get("/queryAll", params=soql, headers=headers)
    by_id = await api.get(f"/sobjects/Account/{made}", headers=headers)

    assert (kept.json()["totalSize"], purged.json()["totalSize"]) == (1, 0)
    assert (by_id.status_code, by_id.json()[0]["errorCode"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("object_name", "fields", "code", "message", "names"),
    [
        ("Contact", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ("Contact", {"LastName": "x" * 81}, "STRING_TOO_LONG", "(max length=80)", ["LastName"]),
        ("Contact", {"LastName": "S", "Email": "no"}, "INVALID_EMAIL_ADDRESS", "invalid email address", ["Email"]),
        ("Account", {"Naem": "A"}, "INVALID_FIELD", "No such column 'Naem' on sobject of type Account", None),
        (
            "Account",
            {"Name": "A", "Portal_Status__c": "Odd"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "bad value for restricted picklist field: Odd",
            ["Portal_Status__c"],
        ),
        ("Account", {"Name": "A", "Id": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update", ["Id"]),
        ("Account", {"Name": 5}, "JSON_PARSER_ERROR", "Cannot deserialize instance of string", None),
        ("Contact", {"LastName": "S", "AccountId": "nonsense"}, "MALFORMED_ID", "incorrect type", ["AccountId"]),
        (
            "Contact",
            {"LastName": "S", "AccountId": "001xx000000000zAAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            ["AccountId"],
        ),
        ("Product2", {"Name": "P", "Display_Order__c": "many"}, "JSON_PARSER_ERROR", "instance of double", None),
        ("Contact", {"LastName": "S", "Birthdate": "soon"}, "JSON_PARSER_ERROR", "instance of date", None),
    ],
)
async def test_bad_field_is_refused_by_code_and_name(
    api: httpx.AsyncClient, object_name: str, fields: dict[str, Any], code: str, message: str, names: list[str] | None
) -> None:
    answer = await api.post(f"/sobjects/{object_name}", json=fields)

    error = answer.json()[0]
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert message in error["message"]
    assert error.get("fields") == names


async def test_unique_value_taken_is_refused_with_the_short_id(api: httpx.AsyncClient) -> None:
    first = await create(api, "Account", Name="A", SF_Account_No__c="C00000001")

    answer = await api.post("/sobjects/Account", json={"Name": "B", "SF_Account_No__c": "c00000001"})

    message = f"duplicate value found: SF_Account_No__c duplicates value on record with id: {first[:15]}"
    assert answer.status_code == 400
    assert answer.json() == [{"message": message, "errorCode": "DUPLICATE_VALUE", "fields": ["SF_Account_No__c"]}]


async def test_broken_json_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/sobjects/Account", content=b'{"Name":')

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("path", ["/sobjects/Nothing/001xx000000000zAAA", "/nothing", "/sobjects/Account/Naem__c/5"])
async def test_unknown_resource_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


async def test_wrong_method_names_the_allowed_ones(api: httpx.AsyncClient) -> None:
    answer = await api.put("/sobjects/Account/001xx000000000zAAA", json={})

    assert answer.status_code == 405
    assert answer.json()[0]["message"] == "HTTP Method 'PUT' not allowed. Allowed are DELETE, GET, PATCH"


@pytest.mark.parametrize("key", ["C00000001", "a%2Fb%20c%2B%C3%BC", "O%27Brien"])
async def test_upsert_creates_then_changes_the_same_row(api: httpx.AsyncClient, key: str) -> None:
    path = f"/sobjects/Account/SF_Account_No__c/{key}"

    first = await api.patch(path, json={"Name": "A"})
    second = await api.patch(path, json={"Name": "B"})
    older = await api.patch(str(api.base_url).replace("62.0", "45.0") + path, json={"Name": "C"})

    assert (first.status_code, first.json()["created"]) == (201, True)
    assert second.status_code == 200
    assert second.json() == {"id": first.json()["id"], "success": True, "errors": [], "created": False}
    assert (older.status_code, older.content) == (204, b"")
    assert (await api.get(path)).json()["Name"] == "C"


async def test_upsert_matching_several_rows_lists_them_and_writes_nothing(api: httpx.AsyncClient) -> None:
    ids = [await create(api, "Case", Subject="old", Portal_Threading_Id__c="R1") for _ in range(2)]

    answer = await api.patch("/sobjects/Case/Portal_Threading_Id__c/R1", json={"Subject": "new"})

    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Case/{row_id}" for row_id in ids]
    assert (await api.get(f"/sobjects/Case/{ids[0]}")).json()["Subject"] == "old"


async def test_upsert_refuses_the_key_in_the_body_and_honours_update_only(api: httpx.AsyncClient) -> None:
    path = "/sobjects/Account/SF_Account_No__c/C1"

    doubled = await api.patch(path, json={"Name": "A", "SF_Account_No__c": "C1"})
    absent = await api.patch(path + "?updateOnly=true", json={"Name": "A"})

    assert doubled.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert absent.status_code == 404


async def test_parent_can_be_named_by_its_external_id(api: httpx.AsyncClient) -> None:
    account_id = await create(api, "Account", Name="A", SF_Account_No__c="C1")

    contact_id = await create(api, "Contact", LastName="Sato", Account={"SF_Account_No__c": "C1"})
    unknown = await api.post("/sobjects/Contact", json={"LastName": "S", "Account": {"SF_Account_No__c": "C2"}})

    assert (await api.get(f"/sobjects/Contact/{contact_id}")).json()["AccountId"] == account_id
    assert unknown.json()[0]["errorCode"] == "INVALID_FIELD"


async def test_comment_touches_its_case_and_closing_dates_it(org: Org, api: httpx.AsyncClient) -> None:
    case_id = await create(api, "Case", Subject="No signal", Origin="Portal Website")
    before = org.sandbox.rows.get("Case", case_id)

    await create(api, "CaseComment", ParentId=case_id, CommentBody="Hello", IsPublished=True)
    await api.patch(f"/sobjects/Case/{case_id}", json={"Status": "Closed"})

    after = org.sandbox.rows.get("Case", case_id)
    assert before is not None
    assert after is not None
    assert (before["Status"], before["Priority"], before["IsClosed"]) == ("New", "Medium", False)
    assert len(before["CaseNumber"]) == 8
    assert (after["IsClosed"], after["ClosedDate"]) == (True, after["LastModifiedDate"])


async def test_conditional_headers_guard_against_lost_updates(org: Org, api: httpx.AsyncClient) -> None:
    case_id = await create(api, "Case", Subject="No signal")
    path = f"/sobjects/Case/{case_id}"
    long_ago, later = "Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"

    stale = await api.patch(path, json={"Subject": "x"}, headers={"If-Unmodified-Since": long_ago})
    fresh = await api.patch(path, json={"Subject": "y"}, headers={"If-Unmodified-Since": later})
    unchanged = await api.get(path, headers={"If-Modified-Since": later})
    changed = await api.get(path, headers={"If-Modified-Since": long_ago})
    bad = await api.patch(path, json={}, headers={"If-Unmodified-Since": "yesterday"})

    assert [answer.status_code for answer in (stale, fresh, unchanged, changed, bad)] == [412, 204, 304, 200, 400]
    assert changed.json()["Subject"] == "y"
