"""Questions of people without an account go to Salesforce; customers are told of the end of what they follow."""

from uuid import UUID

from portal_app.wiring.portal import portal
from portal_app.workflows.step import durable, step


@durable(name="send_contact_message")
async def send_contact_message(message_id: str) -> str:
    """Open the case of a question; Salesforce may be away for longer than a day."""
    message, contact = UUID(message_id), portal().help.contact
    sent = await step("send_contact_message", lambda: contact.hand_over(message))
    while sent["code"] == "gave_up":
        sent = await step("send_contact_message", lambda: contact.hand_over(message))
    return sent["state"]


@durable(name="tell_incident_over")
async def tell_incident_over(announcement_id: str) -> str:
    """Mail every follower once, some at a time."""
    announcement, publishing = UUID(announcement_id), portal().status.publishing
    while True:
        told = await step("tell_some", lambda: publishing.tell_some(announcement))
        if not told["value"]:
            return told["state"]
