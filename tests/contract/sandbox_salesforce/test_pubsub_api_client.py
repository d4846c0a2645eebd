"""A Pub/Sub client written by others, unchanged, against the sandbox."""

from pathlib import Path

from tests.contract.sandbox_salesforce.node import run_node
from tests.contract.sandbox_salesforce.running import Org
from tests.contract.sandbox_salesforce.subscriber import FULFILMENT


async def test_pubsub_api_client_publishes_subscribes_and_resumes(org: Org, tmp_path: Path) -> None:
    account_id = org.sandbox.rows.create("Account", {"Name": "Sato", "BillingCity": "Minato"})
    org.sandbox.rows.update("Account", account_id, {"Phone": "9", "BillingStreet": "1-2-3"})
    key = tmp_path / "client.key"
    key.write_bytes(org.keys.client_key_pem)

    found = await run_node(
        "pubsub_api_client.mjs",
        URL=org.http_url,
        PUBSUB=f"localhost:{org.pubsub_port}",
        CLIENT_ID=org.settings.sf_client_id,
        USERNAME=org.settings.sf_username,
        KEY_FILE=str(key),
        TOPIC=FULFILMENT,
        CHANGES="/data/AccountChangeEvent",
        MANAGED="Managed_Fulfilment",
    )

    assert found["published"] is True
    assert (found["received"], found["resumed"]) == (["801", 1], "802")
    assert found["change"] == ["CREATE", "Account"]
    assert set(found["changedFields"]) == {"Phone", "LastModifiedDate", "BillingAddress.Street"}
    assert found["managed"] == "801"
