"""Files of customers: checked as soon as they have arrived."""

from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, scheduled, step


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
