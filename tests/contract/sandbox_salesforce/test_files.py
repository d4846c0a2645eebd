"""Files of rows: uploaded as JSON or multipart, linked, versioned and downloaded."""

import base64
import json

import httpx
import pytest

from sandbox.store import PART_BYTES
from tests.contract.sandbox_salesforce.running import Org

CONTENT = bytes(range(256)) * 40
# More than fits into one part of the store.
LARGE = bytes(range(251)) * 5000


async def test_multipart_upload_is_linked_and_comes_back_byte_for_byte(org: Org, api: httpx.AsyncClient) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "No signal"})
    head = {"Title": "Photo", "PathOnClient": "photo.jpg", "FirstPublishLocationId": case_id}
    parts = {
        "entity_content": (None, json.dumps(head), "application/json"),
        "VersionData": ("photo.jpg", LARGE, "image/jpeg"),
    }

    made = await api.post("/sobjects/ContentVersion", files=parts)
    row = (await api.get(f"/sobjects/ContentVersion/{made.json()['id']}")).json()
    data = await api.get(f"{org.http_url}{row['VersionData']}")
    query = f"SELECT ContentDocumentId, ShareType FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    links = (await api.get("/query", params={"q": query})).json()["records"]

    assert (made.status_code, row["ContentSize"], row["FileExtension"]) == (201, len(LARGE), "jpg")
    assert data.content == LARGE
    assert max(map(len, org.store.file(row["Id"]))) == PART_BYTES
    assert [link["ContentDocumentId"] for link in links] == [row["ContentDocumentId"]]


async def test_new_version_of_a_document_is_its_latest(api: httpx.AsyncClient) -> None:
    first = {"PathOnClient": "a.txt", "VersionData": base64.b64encode(b"one").decode()}
    one = (await api.post("/sobjects/ContentVersion", json=first)).json()["id"]
    document = (await api.get(f"/sobjects/ContentVersion/{one}")).json()["ContentDocumentId"]

    two = await api.post("/sobjects/ContentVersion", json=first | {"ContentDocumentId": document})

    rows = (await api.get("/query", params={"q": "SELECT Id, IsLatest, Title FROM ContentVersion"})).json()["records"]
    assert {row["Id"]: row["IsLatest"] for row in rows} == {one: False, two.json()["id"]: True}
    assert rows[0]["Title"] == "a"


async def test_bad_uploads_are_refused_and_leave_nothing(api: httpx.AsyncClient) -> None:
    data = base64.b64encode(b"x").decode()
    bodies = [
        {"PathOnClient": "a.txt"},
        {"PathOnClient": "a.txt", "VersionData": "no base64!"},
        {"VersionData": data},
        {"PathOnClient": "a.txt", "VersionData": data, "FirstPublishLocationId": "500xx0000000000AAA"},
        {"PathOnClient": "a.txt", "VersionData": data, "ContentSize": 1},
    ]

    codes = [(await api.post("/sobjects/ContentVersion", json=body)).json()[0]["errorCode"] for body in bodies]

    assert codes == [
        "REQUIRED_FIELD_MISSING", "JSON_PARSER_ERROR", "REQUIRED_FIELD_MISSING", "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ]  # fmt: skip
    assert (await api.get("/query", params={"q": "SELECT Id FROM ContentDocument"})).json()["totalSize"] == 0


@pytest.mark.parametrize("way", ["collection", "tree", "composite"])
async def test_a_version_keeps_its_bytes_whichever_way_it_comes(org: Org, api: httpx.AsyncClient, way: str) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "No signal"})
    fields = {"PathOnClient": "a.bin", "VersionData": base64.b64encode(CONTENT).decode()}
    fields |= {"FirstPublishLocationId": case_id}
    record = fields | {"attributes": {"type": "ContentVersion", "referenceId": "one"}}
    part = {"method": "POST", "url": "/services/data/v62.0/sobjects/ContentVersion", "referenceId": "one"}
    calls = {
        "collection": ("/composite/sobjects", {"records": [record]}),
        "tree": ("/composite/tree/ContentVersion", {"records": [record]}),
        "composite": ("/composite", {"compositeRequest": [part | {"body": fields}]}),
    }

    path, body = calls[way]
    answer = await api.post(path, json=body)

    (row,) = (await api.get("/query", params={"q": "SELECT Id, ContentDocumentId FROM ContentVersion"})).json()[
        "records"
    ]
    query = f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    (link,) = (await api.get("/query", params={"q": query})).json()["records"]
    assert row["Id"] in answer.text
    assert (await api.get(f"/sobjects/ContentVersion/{row['Id']}/VersionData")).content == CONTENT
    assert link["ContentDocumentId"] == row["ContentDocumentId"]


async def test_a_document_takes_its_versions_and_links_along(org: Org, api: httpx.AsyncClient) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "No signal"})
    body = {"PathOnClient": "a.txt", "VersionData": "eA==", "FirstPublishLocationId": case_id}
    version = (await api.post("/sobjects/ContentVersion", json=body)).json()["id"]
    document = (await api.get(f"/sobjects/ContentVersion/{version}")).json()["ContentDocumentId"]

    deleted = await api.delete("/composite/sobjects", params={"ids": document})

    query = f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    assert deleted.json()[0]["success"] is True
    assert (await api.get(f"/sobjects/ContentVersion/{version}/VersionData")).status_code == 404
    assert (await api.get("/query", params={"q": query})).json()["totalSize"] == 0


async def test_a_link_is_made_once_and_to_something(org: Org, api: httpx.AsyncClient) -> None:
    rows = org.sandbox.rows
    case_id, gone = (rows.create("Case", {"Subject": "No signal"}) for _ in range(2))
    rows.delete("Case", gone)
    version = (await api.post("/sobjects/ContentVersion", json={"PathOnClient": "a", "VersionData": "eA=="})).json()
    document = (await api.get(f"/sobjects/ContentVersion/{version['id']}")).json()["ContentDocumentId"]

    async def link(entity: str) -> str:
        body = {"ContentDocumentId": document, "LinkedEntityId": entity}
        answer = await api.post("/sobjects/ContentDocumentLink", json=body)
        return "" if answer.status_code == 201 else str(answer.json()[0]["errorCode"])

    told = [await link(entity) for entity in (case_id, case_id, gone, "500xx0000009999AAA", "zzzxx0000000001AAA")]

    nothing = "INVALID_CROSS_REFERENCE_KEY"
    assert told == ["", "DUPLICATE_VALUE", nothing, nothing, nothing]


async def test_a_collection_publishes_platform_events(api: httpx.AsyncClient) -> None:
    head = {"attributes": {"type": "Order_Fulfilment_Requested__e"}}
    records = [head | {"OrderId__c": "801xx0000000001AAA"}, head | {"Nothing__c": 1}]

    published, refused = (await api.post("/composite/sobjects", json={"records": records})).json()

    assert (published["success"], published["errors"][0]["statusCode"]) == (True, "OPERATION_ENQUEUED")
    assert (refused["success"], refused["errors"][0]["statusCode"]) == (False, "INVALID_FIELD")
