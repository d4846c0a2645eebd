"""Change Data Capture: what a change event says, and its bitmaps."""

from datetime import timedelta
from typing import Any

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from tests.contract.sandbox_salesforce.running import Org
from tests.contract.sandbox_salesforce.subscriber import PubSubClient


def named(schema: dict[str, Any], bitmaps: list[str]) -> set[str]:
    """Decode bitmaps by the rules of the vendor's guide, independently of the encoder."""
    found: set[str] = set()
    for bitmap in bitmaps:
        parent, dash, bits = bitmap.rpartition("-")
        fields = schema["fields"]
        prefix = ""
        if dash:
            prefix = fields[int(parent)]["name"] + "."
            kinds = fields[int(parent)]["type"]
            fields = next(kind["fields"] for kind in kinds if isinstance(kind, dict))
        value = int(bits, 16)
        found |= {prefix + field["name"] for place, field in enumerate(fields) if value >> place & 1}
    return found


async def read_all(pubsub: PubSubClient, topic: str, count: int) -> list[tuple[dict[str, Any], pb.ConsumerEvent]]:
    stream = await pubsub.subscribe(topic, replay_preset=pb.EARLIEST)
    events = await stream.events(count)
    stream.call.cancel()
    return [(await pubsub.decoded(event), event) for event in events]


async def test_a_row_emits_create_update_and_delete(org: Org, pubsub: PubSubClient) -> None:
    rows = org.sandbox.rows
    account_id = rows.create("Account", {"Name": "Sato", "Phone": "1", "BillingCity": "Shibuya"})
    rows.update("Account", account_id, {"Phone": None, "BillingCity": None, "BillingStreet": "1-2-3", "Fax": "9"})
    rows.delete("Account", account_id)

    events = await read_all(pubsub, "/data/AccountChangeEvent", 3)

    (created, _), (updated, event), (deleted, _) = events
    heads = [body["ChangeEventHeader"] for body, _ in events]
    schema = await pubsub.schema(event.event.schema_id)
    assert [head["changeType"] for head in heads] == ["CREATE", "UPDATE", "DELETE"]
    assert all(head["recordIds"] == [account_id] and head["entityName"] == "Account" for head in heads)
    assert (created["Name"], created["BillingAddress"]["City"]) == ("Sato", "Shibuya")
    assert heads[0]["changedFields"] == []
    assert (updated["Name"], updated["Phone"], updated["Fax"]) == (None, None, "9")
    assert updated["BillingAddress"]["Street"] == "1-2-3"
    expected = {"Phone", "Fax", "BillingAddress.Street", "BillingAddress.City", "LastModifiedDate"}
    assert named(schema, heads[1]["changedFields"]) == expected
    assert named(schema, heads[1]["nulledFields"]) == {"Phone", "BillingAddress.City"}
    assert all(value is None for name, value in deleted.items() if name != "ChangeEventHeader")


async def test_one_transaction_shares_its_key_and_counts_its_changes(org: Org, pubsub: PubSubClient) -> None:
    with org.sandbox.rows.unit():
        org.sandbox.rows.create("Account", {"Name": "A"})
        org.sandbox.rows.create("Account", {"Name": "B"})
    org.sandbox.rows.create("Account", {"Name": "C"})

    events = await read_all(pubsub, "/data/ChangeEvents", 3)

    heads = [body["ChangeEventHeader"] for body, _ in events]
    assert [head["sequenceNumber"] for head in heads] == [1, 2, 1]
    assert heads[0]["transactionKey"] == heads[1]["transactionKey"] != heads[2]["transactionKey"]
    assert heads[0]["commitNumber"] == heads[1]["commitNumber"] < heads[2]["commitNumber"]


async def test_origin_tells_which_client_wrote(org: Org, api: Any, pubsub: PubSubClient) -> None:
    await api.post("/sobjects/Account", json={"Name": "A"}, headers={"Sforce-Call-Options": "client=portal"})
    org.sandbox.rows.create("Account", {"Name": "B"})

    events = await read_all(pubsub, "/data/AccountChangeEvent", 2)

    heads = [body["ChangeEventHeader"] for body, _ in events]
    assert [head["changeOrigin"] for head in heads] == ["com/salesforce/api/rest/62.0;client=portal", ""]
    assert heads[0]["commitUser"] == "005xx000001SwiUAAS" != heads[1]["commitUser"]


async def test_comment_is_seen_as_a_change_of_its_case(org: Org, pubsub: PubSubClient) -> None:
    case_id = org.sandbox.rows.create("Case", {"Subject": "No signal"})
    org.sandbox.rows.create("CaseComment", {"ParentId": case_id, "CommentBody": "Hello", "IsPublished": True})

    events = await read_all(pubsub, "/data/CaseChangeEvent", 2)

    body, event = events[1]
    schema = await pubsub.schema(event.event.schema_id)
    assert body["ChangeEventHeader"]["recordIds"] == [case_id]
    activity = {"Portal_Last_Activity_At__c", "Portal_Last_Activity_By__c"}
    assert named(schema, body["ChangeEventHeader"]["changedFields"]) == {"LastModifiedDate", *activity}


async def test_a_comments_later_life_is_seen_as_changes_of_its_case(org: Org, pubsub: PubSubClient) -> None:
    rows = org.sandbox.rows
    case_id = rows.create("Case", {"Subject": "No signal"})
    comment = rows.create("CaseComment", {"ParentId": case_id, "CommentBody": "Hello"})
    org.clock.advance(timedelta(hours=1))
    rows.update("CaseComment", comment, {"CommentBody": "Hello there"})
    for fields in ({"IsPublished": True}, {"CommentBody": "Good day"}, {"IsPublished": False}, {"IsPublished": True}):
        rows.update("CaseComment", comment, fields)
    rows.delete("CaseComment", comment)
    rows.create("CaseComment", {"ParentId": case_id, "CommentBody": "Bye", "IsPublished": True})
    rows.delete("Case", case_id)

    events = await read_all(pubsub, "/data/CaseChangeEvent", 8)

    kinds = [body["ChangeEventHeader"]["changeType"] for body, _ in events]
    created, published = (events[place][0] for place in (0, 1))
    assert kinds == ["CREATE", *["UPDATE"] * 6, "DELETE"]
    assert published["Portal_Last_Activity_At__c"] >= created["CreatedDate"] + 3_600_000


async def test_approval_is_seen_as_a_change_of_the_order(org: Org, pubsub: PubSubClient) -> None:
    order_id = org.order_with_item()
    org.sandbox.rows.update("Order", order_id, {"Activation_Status__c": "Activating"})

    events = await read_all(pubsub, "/data/OrderChangeEvent", 2)

    body, event = events[1]
    schema = await pubsub.schema(event.event.schema_id)
    changed = named(schema, body["ChangeEventHeader"]["changedFields"])
    assert body["Activation_Status__c"] == "Activating"
    assert changed == {"Activation_Status__c", "LastModifiedDate"}


async def test_a_long_text_is_told_by_its_difference(org: Org, pubsub: PubSubClient) -> None:
    rows, long = org.sandbox.rows, "\n".join(f"line {number}" for number in range(200))
    account_id = rows.create("Account", {"Name": "A", "Description": long})
    rows.update("Account", account_id, {"Description": long.replace("line 7\n", "line seven\n"), "Name": "B"})
    rows.update("Account", account_id, {"Description": "short"})
    rows.update("Account", account_id, {"Description": None})
    rows.update("Account", account_id, {"Description": long})

    events = await read_all(pubsub, "/data/AccountChangeEvent", 5)

    schema = await pubsub.schema(events[0][1].event.schema_id)
    told = [(named(schema, body["ChangeEventHeader"]["diffFields"]), body["Description"]) for body, _ in events]
    assert told[0] == (set(), long)
    assert told[1][0] == {"Description"}
    assert {"-line 7", "+line seven"} <= set(told[1][1].splitlines())
    assert len(told[1][1]) < 200
    assert told[2:] == [(set(), "short"), (set(), None), (set(), long)]
    assert "Description" in named(schema, events[1][0]["ChangeEventHeader"]["changedFields"])


async def test_rows_whose_difference_differs_are_told_apart(org: Org, pubsub: PubSubClient) -> None:
    rows, long = org.sandbox.rows, "x\n" * 600
    ids = [rows.create("Account", {"Name": "A", "Description": text + long}) for text in ("a\n", "a\n", "b\n")]
    with rows.unit():
        for account_id in ids:
            rows.update("Account", account_id, {"Description": "c\n" + long})

    events = await read_all(pubsub, "/data/AccountChangeEvent", 5)

    assert [body["ChangeEventHeader"]["recordIds"] for body, _ in events[3:]] == [ids[:2], ids[2:]]
