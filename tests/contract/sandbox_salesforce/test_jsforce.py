"""The library most Node programs use for Salesforce, unchanged, against the sandbox."""

import pytest

from tests.contract.sandbox_salesforce.node import run_node
from tests.contract.sandbox_salesforce.running import Org


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_jsforce_works_unchanged_over_both_schemes(org: Org, scheme: str) -> None:
    for number in range(4):
        org.sandbox.rows.create("Product2", {"Name": f"P{number}"})
    url = org.http_url if scheme == "http" else org.https_url
    trust = {"NODE_EXTRA_CA_CERTS": str(org.keys.ca_file)}

    found = await run_node("jsforce.mjs", URL=url, ASSERTION=org.assertion(), VERSION="62.0", **trust)

    assert found["identity"] == org.settings.sf_username
    assert found["upserted"]["success"] and found["record"]["Name"] == "O'Brien"
    assert [each["success"] for each in found["many"]] == [True] * 3 and found["destroyed"]["success"]
    assert [(row["LastName"], row["Account"]["Name"]) for row in found["finder"]] == [
        ("N1", "O'Brien"),
        ("N2", "O'Brien"),
    ]
    assert [row["LastName"] for row in found["children"]["records"][0]["Contacts"]["records"]] == ["N1", "N2"]
    assert (found["count"], found["scanned"], found["paged"]) == (2, 3, 4)
    assert (found["graph"], found["tree"], found["file"]) == (True, 2, "hello")
    assert found["described"] == ["Portal_Order_Id__c"] and "SIM_Inventory__c" in found["global"]
    assert found["usage"]["limit"] == found["limits"]["Max"] == 100_000
    assert found["refusals"] == ["REQUIRED_FIELD_MISSING", "INVALID_FIELD", "NOT_FOUND"]
