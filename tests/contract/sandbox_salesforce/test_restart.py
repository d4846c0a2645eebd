"""What a restart of the sandbox keeps: rows, tokens and the event log."""

from pathlib import Path

import httpx

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from tests.contract.sandbox_salesforce.running import Keys, running_org
from tests.contract.sandbox_salesforce.subscriber import PubSubClient


async def test_new_process_over_the_same_file_goes_on(keys: Keys, tmp_path: Path) -> None:
    async with running_org(keys, tmp_path) as org:
        token = await org.token()
        orders = [org.order_with_item() for _ in range(2)]
        for order_id in orders:
            org.sandbox.rows.update("Order", order_id, {"Activation_Status__c": "Activating"})
        async with PubSubClient(org, token) as client:
            stream = await client.subscribe(replay_preset=pb.EARLIEST)
            first = (await stream.events(2))[0]
            stream.call.cancel()

    async with running_org(keys, tmp_path) as org:
        async with PubSubClient(org, token) as client:
            stream = await client.subscribe(replay_preset=pb.CUSTOM, replay_id=first.replay_id)
            (second,) = await stream.events(1)
            payload = await client.decoded(second)
            stream.call.cancel()
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            path = f"{org.http_url}/services/data/v62.0/sobjects/Order/{orders[0]}"
            answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})

    assert payload["OrderId__c"] == orders[1]
    assert answer.json()["Activation_Status__c"] == "Activating"
