"""Files of rows: uploaded as JSON or multipart, linked, versioned and downloaded."""

import base64
import json

import httpx

from tests.contract.sandbox_salesforce.running import Org

CONTENT = bytes(range(256)) * 40


async def test_multipart_upload_is_linked_and_comes_back_byte_for_byte(org: Org, api: httpx.AsyncClient) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "No signal"})
    head = {"Title": "Photo", "PathOnClient": "photo.jpg", "FirstPublishLocationId": case_id}
    parts = {
        "entity_content": (None, json.dumps(head), "application/json"),
        "VersionData": ("photo.jpg", CONTENT, "image/jpeg"),
    }

    made = await api.post("/sobjects/ContentVersion", files=parts)
    row = (await api.get(f"/sobjects/ContentVersion/{made.json()['id']}")).json()
    data = await api.get(f"{org.http_url}{row['VersionData']}")
    query = f"SELECT ContentDocumentId, ShareType FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    links = (await api.get("/query", params={"q": query})).json()["records"]

    assert (made.status_code, row["ContentSize"], row["FileExtension"]) == (201, len(CONTENT), "jpg")
    assert data.content == CONTENT
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
