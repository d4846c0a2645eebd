"""Rules of an org for cases and their comments, each by its switch."""

from typing import Any

import httpx

from sandbox.faults import FaultSettings
from tests.contract.sandbox_salesforce.running import Org


def switch(org: Org, *names: str) -> None:
    org.faults.set("salesforce", FaultSettings(special=dict.fromkeys(names, 1)))


async def created(api: httpx.AsyncClient, kind: str, **values: Any) -> str:
    return str((await api.post(f"/sobjects/{kind}", json=values)).raise_for_status().json()["id"])


async def test_an_org_that_answers_new_cases_needs_an_address_to_answer(org: Org, api: httpx.AsyncClient) -> None:
    switch(org, "auto_response")
    refused = await api.post("/sobjects/Case", json={"Subject": "A"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert await created(api, "Case", Subject="A", SuppliedEmail="ben@example.jp")


async def test_our_user_edits_comments_only_with_the_right_to_modify_all(org: Org, api: httpx.AsyncClient) -> None:
    case = await created(api, "Case", Subject="A")
    comment = await created(api, "CaseComment", ParentId=case, CommentBody="A", IsPublished=True)
    refused = await api.patch(f"/sobjects/CaseComment/{comment}", json={"CommentBody": "B"})
    assert refused.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    switch(org, "edit_comment")
    assert (await api.patch(f"/sobjects/CaseComment/{comment}", json={"CommentBody": "B"})).status_code == 204


async def test_a_case_hears_of_its_comments_unless_the_org_has_no_flow_for_it(org: Org, api: httpx.AsyncClient) -> None:
    async def last_activity(*switches: str) -> Any:
        switch(org, *switches)
        case = await created(api, "Case", Subject="A")
        await created(api, "CaseComment", ParentId=case, CommentBody="A", IsPublished=True)
        return (await api.get(f"/sobjects/Case/{case}")).json()["Portal_Last_Activity_At__c"]

    assert await last_activity() is not None
    assert await last_activity("comment_silent") is None
