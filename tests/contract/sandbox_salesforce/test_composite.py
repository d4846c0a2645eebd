"""Several calls in one: references, partial success and all-or-nothing."""

from typing import Any

import httpx

from sandbox.faults import FaultSettings
from tests.contract.sandbox_salesforce.running import Org

BASE = "/services/data/v62.0"


def part(method: str, path: str, reference: str, **body: Any) -> dict[str, Any]:
    found = {"method": method, "url": BASE + path, "referenceId": reference}
    return found | ({"body": body} if body else {})


async def run(api: httpx.AsyncClient, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    answer = await api.post("/composite", json={"allOrNone": all_or_none, "compositeRequest": list(parts)})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["compositeResponse"])


async def count(api: httpx.AsyncClient, object_name: str) -> int:
    return int((await api.get("/query", params={"q": f"SELECT COUNT() FROM {object_name}"})).json()["totalSize"])


async def test_later_parts_refer_to_earlier_answers(api: httpx.AsyncClient) -> None:
    answers = await run(
        api,
        part("PATCH", "/sobjects/Account/SF_Account_No__c/C1", "account", Name="Sato"),
        part("POST", "/sobjects/Contact/", "contact", LastName="Sato", AccountId="@{account.id}"),
        part("GET", "/query?q=SELECT+Id+FROM+Account+WHERE+Id='@{account.id}'", "found"),
        part("PATCH", "/sobjects/Account/@{found.records[0].Id}", "changed", Phone="0312345678"),
        all_or_none=True,
    )

    assert [answer["httpStatusCode"] for answer in answers] == [201, 201, 200, 204]
    assert [answer["referenceId"] for answer in answers] == ["account", "contact", "found", "changed"]
    assert answers[1]["httpHeaders"]["Location"].endswith(answers[1]["body"]["id"])
    assert answers[3]["body"] is None


async def test_all_or_none_takes_everything_back(api: httpx.AsyncClient) -> None:
    answers = await run(
        api,
        part("PATCH", "/sobjects/Account/SF_Account_No__c/C1", "account", Name="Sato"),
        part("POST", "/sobjects/Contact", "contact", FirstName="only"),
        part("POST", "/sobjects/Contact", "third", LastName="Sato"),
        all_or_none=True,
    )

    codes = [answer["body"][0]["errorCode"] for answer in answers]
    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 400]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert (await count(api, "Account"), await count(api, "Contact")) == (0, 0)
    assert (await api.patch("/sobjects/Account/SF_Account_No__c/C1", json={"Name": "A"})).status_code == 201


async def test_parts_run_in_any_order_unless_the_call_says_otherwise(org: Org, api: httpx.AsyncClient) -> None:
    async def order(*, keep: bool, headers: bool = False) -> list[str]:
        told = {"httpHeaders": {"Sforce-Auto-Assign": "FALSE"}} if headers else {}
        parts = [part("POST", "/sobjects/Contact", name, LastName=name) | told for name in ("a", "b", "c")]
        parts.append(part("POST", "/sobjects/Contact", "d", LastName="d", FirstName="@{a.id}"))
        more = {"collateSubrequests": False} if keep else {}
        answer = await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts} | more)
        ids = {each["body"]["id"]: each["referenceId"] for each in answer.json()["compositeResponse"]}
        return [ids[each] for each in sorted(ids)]

    assert await order(keep=False) == ["a", "b", "c", "d"]
    org.faults.set("salesforce", FaultSettings(special={"collate": -1}))
    assert await order(keep=False) == ["a", "c", "b", "d"]
    assert await order(keep=True) == await order(keep=False, headers=True) == ["a", "b", "c", "d"]


async def test_without_all_or_none_good_parts_stay(api: httpx.AsyncClient) -> None:
    answers = await run(
        api,
        part("POST", "/sobjects/Account", "bad", Phone="1"),
        part("POST", "/sobjects/Contact", "dependent", LastName="S", AccountId="@{bad.id}"),
        part("POST", "/sobjects/Account", "good", Name="A"),
    )

    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 201]
    assert answers[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert await count(api, "Account") == 1


async def test_too_many_parts_are_refused(api: httpx.AsyncClient) -> None:
    parts = [part("POST", "/sobjects/Account", f"r{number}", Name="A") for number in range(26)]

    answer = await api.post("/composite", json={"compositeRequest": parts})

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


async def test_order_with_its_items_is_one_composite(org: Org, api: httpx.AsyncClient) -> None:
    org.order_with_item()
    (entry,) = (await api.get("/query", params={"q": "SELECT Id, Pricebook2Id FROM PricebookEntry"})).json()["records"]
    head = {"Name": "Suzuki", "SF_Account_No__c": "C2"}
    await api.post("/sobjects/Account", json=head)
    order = {"Account": {"SF_Account_No__c": "C2"}, "EffectiveDate": "2026-04-01", "Status": "Pending Review"}

    answers = await run(
        api,
        part(
            "PATCH",
            "/sobjects/Order/Portal_Order_Id__c/0b6f",
            "order",
            **order,
            Pricebook2Id=entry["Pricebook2Id"],
        ),
        part(
            "POST",
            "/sobjects/OrderItem",
            "item",
            OrderId="@{order.id}",
            PricebookEntryId=entry["Id"],
            Quantity=2,
            UnitPrice=980,
        ),
        all_or_none=True,
    )

    row = (await api.get(f"/sobjects/Order/{answers[0]['body']['id']}")).json()
    assert [answer["httpStatusCode"] for answer in answers] == [201, 201]
    assert (row["TotalAmount"], row["StatusCode"], row["Activation_Status__c"]) == (1960, "Draft", "Not Started")


async def test_collection_reports_each_row_and_can_be_all_or_none(api: httpx.AsyncClient) -> None:
    good = {"attributes": {"type": "Account"}, "Name": "A"}
    bad = {"attributes": {"type": "Account"}, "Phone": "1"}

    mixed = (await api.post("/composite/sobjects", json={"records": [good, bad]})).json()
    together = (await api.post("/composite/sobjects", json={"allOrNone": True, "records": [good, bad]})).json()

    assert [result["success"] for result in mixed] == [True, False]
    assert mixed[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert together[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert await count(api, "Account") == 1


async def test_collection_upserts_changes_reads_and_deletes(api: httpx.AsyncClient) -> None:
    record = {"attributes": {"type": "Account"}, "Name": "A", "SF_Account_No__c": "C1"}
    upsert = "/composite/sobjects/Account/SF_Account_No__c"

    first = (await api.patch(upsert, json={"records": [record]})).json()[0]
    second = (await api.patch(upsert, json={"records": [record | {"Name": "B"}]})).json()[0]
    changed = {"attributes": {"type": "Account"}, "id": first["id"], "Phone": "1"}
    await api.patch("/composite/sobjects", json={"records": [changed]})
    read = (await api.get("/composite/sobjects/Account", params={"ids": first["id"], "fields": "Name,Phone"})).json()
    deleted = (await api.delete("/composite/sobjects", params={"ids": first["id"]})).json()

    assert (first["created"], second["created"], second["id"]) == (True, False, first["id"])
    assert (read[0]["Name"], read[0]["Phone"]) == ("B", "1")
    assert deleted[0]["success"] is True


async def test_batch_halts_after_an_error_when_told_to(api: httpx.AsyncClient) -> None:
    requests = [
        {"method": "GET", "url": "v62.0/limits"},
        {"method": "POST", "url": f"{BASE}/sobjects/Account", "richInput": {"Phone": "1"}},
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "A"}},
    ]

    halted = (await api.post("/composite/batch", json={"haltOnError": True, "batchRequests": requests})).json()
    through = (await api.post("/composite/batch", json={"batchRequests": requests})).json()

    assert [each["statusCode"] for each in halted["results"]] == [200, 400, 412]
    assert halted["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert [each["statusCode"] for each in through["results"]] == [200, 400, 201]
    assert halted["hasErrors"] and await count(api, "Account") == 1


async def test_tree_with_a_bad_leaf_creates_nothing(api: httpx.AsyncClient) -> None:
    leaf = {"attributes": {"type": "Contact", "referenceId": "leaf"}, "FirstName": "only"}
    root = {"attributes": {"type": "Account", "referenceId": "root"}, "Name": "A", "Contacts": {"records": [leaf]}}

    answer = await api.post("/composite/tree/Account", json={"records": [root]})

    (result,) = answer.json()["results"]
    assert (answer.status_code, answer.json()["hasErrors"], result["referenceId"]) == (400, True, "leaf")
    assert result["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert await count(api, "Account") == 0


async def test_one_bad_graph_leaves_the_others_whole(api: httpx.AsyncClient) -> None:
    good = {"graphId": "good", "compositeRequest": [part("POST", "/sobjects/Account", "a", Name="A")]}
    parts = [part("POST", "/sobjects/Account", "b", Name="B"), part("POST", "/sobjects/Account", "c", Phone="1")]

    answer = await api.post("/composite/graph", json={"graphs": [good, {"graphId": "bad", "compositeRequest": parts}]})

    assert [each["isSuccessful"] for each in answer.json()["graphs"]] == [True, False]
    assert await count(api, "Account") == 1
