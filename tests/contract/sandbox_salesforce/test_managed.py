"""Commits of managed subscriptions are answered though nothing else is under way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.bus.subscription import Pace
from tests.contract.sandbox_salesforce.running import Keys, Org, running_org
from tests.contract.sandbox_salesforce.subscriber import ANSWER_SECONDS, PubSubClient


@pytest.fixture
async def slow_org(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Org]:
    """Run a sandbox that speaks by itself as rarely as the vendor does."""
    async with running_org(keys, tmp_path_factory.mktemp("sandbox"), pace=Pace()) as org:
        yield org


@pytest.mark.parametrize(("credits", "commits", "leaves"), [(100, 1, False), (1, 3, False), (1, 2, True)])
async def test_commits_are_answered_at_once(slow_org: Org, credits: int, commits: int, leaves: bool) -> None:
    async with PubSubClient(slow_org, await slow_org.token()) as pubsub:
        order_id = slow_org.order_with_item()
        slow_org.sandbox.rows.update("Order", order_id, {"Activation_Status__c": "Activating"})
        call = pubsub.stub.ManagedSubscribe(metadata=pubsub.metadata)
        await call.write(pb.ManagedFetchRequest(developer_name="Managed_Fulfilment", num_requested=credits))
        (event,) = (await asyncio.wait_for(call.read(), ANSWER_SECONDS)).events

        for number in range(commits):
            request = pb.CommitReplayRequest(commit_request_id=f"c{number}", replay_id=event.replay_id)
            await call.write(pb.ManagedFetchRequest(commit_replay_id_request=request))
        if leaves:
            await call.done_writing()
        answers = [await asyncio.wait_for(call.read(), ANSWER_SECONDS) for _ in range(commits)]
        call.cancel()

    assert [each.commit_response.commit_request_id for each in answers] == [f"c{number}" for number in range(commits)]
    assert not any(each.commit_response.HasField("error") or each.events for each in answers)
