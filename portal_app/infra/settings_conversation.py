"""The settings of conversations with support: hours, and what mails about cases say of replies."""

from datetime import time

from pydantic import BaseModel, Field


class ConversationSettings(BaseModel):
    """When the team answers, and where replies by mail go."""

    portal_support_opens: time = Field(time(10), description="When support begins on working days, in Japan")
    portal_support_closes: time = Field(time(18), description="When support ends on working days, in Japan")
    portal_support_reply_to: str = Field(
        "", description="Email-to-Case address that mails about cases are replied to; empty: replies are not read"
    )
