"""Support: messages are sent in order, and answers are told by one mail for all that come together."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from dbos import DBOS

from portal_app.infra.database.durable import WakeTopic
from portal_app.services.support.case_changes import AT_ONCE
from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, scheduled, step

# How long a mail waits for further answers, in seconds.
_BATCH = 60


@durable(name="send_support_message")
async def send_support_message(message_id: str) -> str:
    """Wait until a message cannot be taken back and its turn has come, then hand it to Salesforce."""
    message, delivery = UUID(message_id), portal().support.delivery
    while (taken := await step("claim_message", lambda: delivery.claim(message)))["value"]:
        await DBOS.recv_async(WakeTopic.MESSAGE, timeout_seconds=taken["value"])
    if taken["state"] == "refused":
        await step("refuse_message", lambda: delivery.refuse(message, taken["code"]))
        return "refused"
    if taken["value"] is None:
        return "withdrawn"
    sent = await step("send_message", lambda: delivery.send(message), priority="customer")
    while sent["code"] == "gave_up":
        # Salesforce is away for longer than a day: the customer's words are kept and sent when it is back.
        sent = await step("send_message", lambda: delivery.send(message))
    if sent["state"] == "refused":
        await step("refuse_message", lambda: delivery.refuse(message, sent["code"]))
        return "refused"
    await step("show_message", lambda: delivery.show(message))
    return "sent"


@durable(name="tell_case")
async def tell_case(case_id: str) -> str:
    """Mail a customer the answers to a case, unless they have seen them by then."""
    await DBOS.sleep_async(_BATCH)
    return (await step("tell_case", lambda: portal().support.changes.tell(UUID(case_id))))["state"]


async def apply_to_cases(sf_case_ids: Sequence[str]) -> str:
    """Take over what changed at some cases."""
    outcome, changes = "done", portal().support.changes
    for begin in range(0, len(sf_case_ids), AT_ONCE):
        some = list(sf_case_ids[begin : begin + AT_ONCE])
        outcome = (await step("apply_cases", partial(changes.apply, some)))["state"]
    return outcome


@scheduled("read_watched_cases")
async def read_watched_cases() -> str:
    """Read the cases that customers may have open: an org without our flow sends no event for a comment."""
    found = await step("watched_cases", portal().support.changes.watched, priority="sync")
    return await apply_to_cases(found["value"] or [])


@scheduled("measure_answer_times")
async def measure_answer_times() -> str:
    """Work out how long answers of support usually take."""
    return (await step("measure_answers", portal().support.cases.answer_times.measure))["state"]


@durable(name="check_upload")
async def check_upload(upload_id: str) -> str:
    """Check a file, however long the virus scanner is away; one that breaks the check is refused."""
    upload, checking = UUID(upload_id), portal().uploads.checking
    checked = await step("check_upload", lambda: checking.check(upload), priority="customer")
    while checked["code"] == "gave_up":
        checked = await step("check_upload", lambda: checking.check(upload))
    if checked["state"] == "refused":
        await step("refuse_upload", lambda: checking.refuse(upload, "not_accepted"))
    return checked["state"]


@scheduled("tidy_files")
async def tidy_files() -> str:
    """Delete files that nobody sent, and copies of files that were fetched."""
    return (await step("tidy_files", lambda: portal().uploads.tidying.delete_expired(), priority="sync"))["state"]
