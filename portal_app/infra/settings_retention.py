"""The settings of how long records are kept. docs/operations.md lists all of them."""

from pydantic import BaseModel, Field


class RetentionSettings(BaseModel):
    """Days after which cleanup deletes records."""

    portal_keep_mail_days: int = Field(
        30, ge=2, description="Days that mails are kept, sent or not, with their content"
    )
    portal_keep_notice_days: int = Field(365, ge=7, description="Days that notices in the portal are kept")
    portal_keep_session_days: int = Field(
        400, ge=1, description="Days that ended sessions are kept; a device that none of them names counts as new"
    )
    portal_keep_event_days: int = Field(
        30, ge=7, description="Days that events of vendors are kept after they were applied"
    )
    portal_keep_stranger_days: int = Field(
        90, ge=1, description="Days that the audit keeps what was tried without an account"
    )
    portal_keep_reading_days: int = Field(
        800, ge=330, description="Days that the daily use of SIM lines is kept; the forecast's record needs 330"
    )
    portal_keep_call_days: int = Field(
        180, ge=31, le=800, description="Days that calls and SMS of SIM lines are kept; a month goes as a whole"
    )
    portal_keep_workflow_days: int = Field(90, ge=7, description="Days that workflows are kept after they ended")
