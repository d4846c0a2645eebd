"""SOQL over REST: results, paging and errors."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from simple_salesforce.format import format_soql

from tests.contract.sandbox_salesforce.running import Org


async def records(api: httpx.AsyncClient, soql: str) -> list[dict[str, Any]]:
    answer = await api.get("/query/", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["records"])


async def names(api: httpx.AsyncClient, where: str) -> list[str]:
    return [row["Name"] for row in await records(api, f"SELECT Name FROM Product2 WHERE {where} ORDER BY Name")]


@pytest.fixture
def products(org: Org) -> None:
    """Put four products into the org."""
    rows = org.sandbox.rows
    rows.create("Product2", {"Name": "Home 10G", "Display_Order__c": 1, "IsActive": True, "Item_Class__c": "Service"})
    rows.create("Product2", {"Name": "home 1G", "Display_Order__c": 2, "IsActive": True, "Item_Class__c": "Add-on"})
    rows.create("Product2", {"Name": "50%_off", "Display_Order__c": 3})
    rows.create("Product2", {"Name": "O'Brien\\", "WH_Product_Name__c": "x"})


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'HOME 1g'", ["home 1G"]),
        ("Name LIKE 'home%'", ["Home 10G", "home 1G"]),
        ("Name LIKE 'home _G'", ["home 1G"]),
        (r"Name LIKE '50\%\_%'", ["50%_off"]),
        ("IsActive = true AND Display_Order__c > 1", ["home 1G"]),
        ("Display_Order__c >= 3 OR Item_Class__c = 'Service'", ["50%_off", "Home 10G"]),
        ("(Display_Order__c < 2 OR Display_Order__c = null) AND NOT IsActive = true", ["O'Brien\\"]),
        ("Item_Class__c != 'Service'", ["50%_off", "home 1G", "O'Brien\\"]),
        ("Item_Class__c IN ('Service', 'Add-on')", ["Home 10G", "home 1G"]),
        ("Item_Class__c NOT IN ('Service') AND Item_Class__c != null", ["home 1G"]),
        ("CreatedDate = TODAY AND CreatedDate = LAST_N_DAYS:1 AND Display_Order__c <= 1.0", ["Home 10G"]),
        ("CreatedDate > 2099-01-01T00:00:00Z", []),
        (
            "CreatedDate = THIS_WEEK AND CreatedDate = THIS_MONTH AND CreatedDate >= LAST_YEAR AND Name LIKE '50%'",
            ["50%_off"],
        ),
        ("CreatedDate = LAST_WEEK OR CreatedDate = NEXT_MONTH OR CreatedDate > THIS_YEAR", []),
        ("CreatedDate < 2099-01-01T00:00:00+09:00 AND Name = 'home 1G'", ["home 1G"]),
    ],
)
async def test_condition_finds_what_it_says(
    api: httpx.AsyncClient, products: None, where: str, found: list[str]
) -> None:
    assert await names(api, where) == found


@pytest.mark.parametrize("text", ["O'Brien\\", "' OR Name != '", "\\' OR Name LIKE '%", "50%_off"])
async def test_quoted_text_never_becomes_part_of_the_query(api: httpx.AsyncClient, products: None, text: str) -> None:
    found = await names(api, format_soql("Name = {}", text))

    assert found in ([text], [])
    assert (text in ("O'Brien\\", "50%_off")) == bool(found)


async def test_like_is_injection_safe_when_escaped(api: httpx.AsyncClient, products: None) -> None:
    assert await names(api, format_soql("Name LIKE '{:like}%'", "50%")) == ["50%_off"]
    assert await names(api, format_soql("Name LIKE '{:like}%'", "%")) == []


async def test_parents_and_children_come_nested(org: Org, api: httpx.AsyncClient) -> None:
    order_id = org.order_with_item()
    soql = (
        "SELECT Id, Account.Name, Account.Parent.Name, Owner.Name, "
        "(SELECT Quantity, PricebookEntry.Product2.Name FROM OrderItems ORDER BY CreatedDate DESC LIMIT 5), "
        f"BillingAddress FROM Order WHERE Account.Name = 'sato hanako' AND Id = '{order_id[:15]}'"
    )

    (row,) = await records(api, soql)

    assert row["Id"] == order_id
    assert row["Account"]["Name"] == "Sato Hanako"
    assert row["Account"]["Parent"] is None
    assert row["OrderItems"]["totalSize"] == 1
    assert row["OrderItems"]["records"][0]["PricebookEntry"]["Product2"]["Name"] == "VPN Tokyo"
    assert row["BillingAddress"] is None


async def test_children_without_rows_are_null(org: Org, api: httpx.AsyncClient) -> None:
    org.sandbox.rows.create("Account", {"Name": "A"})

    (row,) = await records(api, "SELECT Id, (SELECT Id FROM Cases) FROM Account")

    assert row["Cases"] is None


async def test_semi_join_and_multi_select_find_rows(org: Org, api: httpx.AsyncClient) -> None:
    org.order_with_item()
    org.sandbox.rows.create("Account", {"Name": "B", "Internet_Eligibility__c": "Home 10G;Home 1G"})

    with_orders = await records(api, "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Order)")
    without = await records(api, "SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Order)")
    eligible = await records(api, "SELECT Name FROM Account WHERE Internet_Eligibility__c INCLUDES ('Home 1G')")

    assert [row["Name"] for row in with_orders] == ["Sato Hanako"]
    assert [row["Name"] for row in without] == [row["Name"] for row in eligible] == ["B"]


async def test_nulls_sort_first_unless_said_otherwise(api: httpx.AsyncClient, products: None) -> None:
    rows = await records(api, "SELECT Display_Order__c FROM Product2 ORDER BY Display_Order__c")
    last = await records(api, "SELECT Display_Order__c FROM Product2 ORDER BY Display_Order__c ASC NULLS LAST")
    down = await records(api, "SELECT Display_Order__c FROM Product2 ORDER BY Display_Order__c DESC LIMIT 2 OFFSET 1")

    assert [row["Display_Order__c"] for row in rows] == [None, 1, 2, 3]
    assert [row["Display_Order__c"] for row in last] == [1, 2, 3, None]
    assert [row["Display_Order__c"] for row in down] == [2, 1]


async def test_count_answers_a_number_without_records(api: httpx.AsyncClient, products: None) -> None:
    answer = await api.get("/query", params={"q": "SELECT COUNT() FROM Product2 WHERE IsActive = true"})

    assert answer.json() == {"totalSize": 2, "done": True, "records": []}


@pytest.mark.parametrize(
    ("soql", "rows"),
    [
        ("SELECT COUNT(Id), MAX(Display_Order__c) FROM Product2", [{"expr0": 4, "expr1": 3}]),
        ("SELECT SUM(Display_Order__c) s, AVG(Display_Order__c), COUNT(Display_Order__c) n FROM Product2",
         [{"s": 6, "expr0": 2, "n": 3}]),
        ("SELECT SUM(Display_Order__c), COUNT(Id) FROM Product2 WHERE Name = 'x'", [{"expr0": None, "expr1": 0}]),
        ("SELECT IsActive, COUNT(Id) many, MIN(Name) FROM Product2 GROUP BY IsActive ORDER BY COUNT(Id) DESC, IsActive",
         [{"IsActive": False, "many": 2, "expr0": "50%_off"}, {"IsActive": True, "many": 2, "expr0": "Home 10G"}]),
        ("SELECT Item_Class__c c FROM Product2 GROUP BY Item_Class__c ORDER BY Item_Class__c NULLS LAST OFFSET 1",
         [{"c": "Service"}, {"c": None}]),
        ("SELECT Product2.IsActive, COUNT(Id) FROM PricebookEntry GROUP BY Product2.IsActive",
         [{"IsActive": True, "expr0": 1}]),
    ],
)  # fmt: skip
async def test_aggregates_come_as_rows_named_by_alias_or_number(
    org: Org, api: httpx.AsyncClient, request: pytest.FixtureRequest, soql: str, rows: list[dict[str, Any]]
) -> None:
    if "PricebookEntry" in soql:
        org.order_with_item()
    else:
        request.getfixturevalue("products")

    found = await records(api, soql)

    assert {row["attributes"]["type"] for row in found} == {"AggregateResult"}
    assert [{name: value for name, value in row.items() if name != "attributes"} for row in found] == rows


async def test_links_of_documents_are_found_by_document_or_record_only(api: httpx.AsyncClient) -> None:
    ids = "('500xx0000000001AAA', '500xx0000000002AAC')"
    assert await records(api, f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN {ids}") == []
    for where in ("", " WHERE ShareType = 'V'", " WHERE LinkedEntityId != null", f" WHERE NOT LinkedEntityId IN {ids}"):
        refused = await api.get("/query", params={"q": f"SELECT Id FROM ContentDocumentLink{where}"})
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "MALFORMED_QUERY")
        assert "requires a filter by a single Id on ContentDocumentId or LinkedEntityId" in refused.json()[0]["message"]


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Naem FROM Account", "INVALID_FIELD", "ERROR at Row:1:Column:8\nNo such column 'Naem' on entity"),
        ("SELECT Id FROM Contact123", "INVALID_TYPE", "sObject type 'Contact123' is not supported."),
        ("SELECT Id Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY", "no viable alternative"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Phone = 'b' OR Fax = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account; DELETE", "MALFORMED_QUERY", "character ';'"),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Nopes'"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "Only aggregate expressions use field aliasing"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "field Name does not support aggregate operator SUM"),
        ("SELECT COUNT(Nope) FROM Account", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Name FROM Account GROUP BY Name ORDER BY Phone", "MALFORMED_QUERY", "Ordered field must be grouped"),
        ("SELECT Name, COUNT() FROM Account GROUP BY Name", "MALFORMED_QUERY", "COUNT() must be the only element"),
        ("SELECT COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY", "aggregate functions cannot also use LIMIT"),
        ("SELECT CreatedDate FROM Account GROUP BY CreatedDate", "MALFORMED_QUERY", "can not be grouped"),
        ("", "MALFORMED_QUERY", "empty"),
    ],
)
async def test_mistake_in_a_query_is_named(api: httpx.AsyncClient, soql: str, code: str, message: str) -> None:
    answer = await api.get("/query", params={"q": soql})

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert message in answer.json()[0]["message"]


async def test_long_answers_come_page_by_page(org: Org, api: httpx.AsyncClient) -> None:
    with org.sandbox.rows.unit():
        for number in range(450):
            org.sandbox.rows.create("SIM_Inventory__c", {"Phone_Number__c": f"0701234{number:04d}"})
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Phone_Number__c FROM SIM_Inventory__c ORDER BY Phone_Number__c"

    page = (await api.get("/query", params={"q": soql}, headers=headers)).json()
    pages = [page]
    while not page["done"]:
        page = (await api.get(org.http_url + page["nextRecordsUrl"])).json()
        pages.append(page)

    numbers = [row["Phone_Number__c"] for page in pages for row in page["records"]]
    assert [len(page["records"]) for page in pages] == [200, 200, 50]
    assert {page["totalSize"] for page in pages} == {450}
    assert pages[0]["nextRecordsUrl"].startswith("/services/data/v62.0/query/01g")
    assert pages[0]["nextRecordsUrl"].endswith("-200")
    assert "nextRecordsUrl" not in pages[-1]
    assert numbers == [f"0701234{number:04d}" for number in range(450)]

    org.clock.advance(timedelta(minutes=16))
    stale = await api.get(org.http_url + pages[0]["nextRecordsUrl"])
    assert (stale.status_code, stale.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


async def test_describe_tells_fields_and_limits_count_calls(api: httpx.AsyncClient) -> None:
    order = (await api.get("/sobjects/Order/describe")).json()
    all_objects = (await api.get("/sobjects")).json()
    limits = await api.get("/limits/")
    again = await api.get("/limits/")

    fields = {field["name"]: field for field in order["fields"]}
    assert order["keyPrefix"] == "801"
    assert fields["Portal_Order_Id__c"]["externalId"] is True
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["EffectiveDate"]["nillable"] is False
    assert [choice["value"] for choice in fields["Status"]["picklistValues"]][-1] == "Processed"
    assert {"Order", "SIM_Inventory__c"} <= {each["name"] for each in all_objects["sobjects"]}
    used = limits.json()["DailyApiRequests"]["Remaining"] - again.json()["DailyApiRequests"]["Remaining"]
    assert used == 1
    assert again.headers["Sforce-Limit-Info"].startswith("api-usage=")


async def test_versions_are_listed_without_login(org: Org, api: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
        listed = (await stranger.get(f"{org.http_url}/services/data/")).json()
    resources = (await api.get("/")).json()
    unknown = await api.get(f"{org.http_url}/services/data/v99.0/limits")

    labels = {each["version"]: each["label"] for each in listed}
    assert (labels["67.0"], labels["66.0"]) == ("Summer '26", "Spring '26")
    assert resources["query"] == "/services/data/v62.0/query"
    assert unknown.status_code == 404
