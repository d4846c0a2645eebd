"""The settings of help, contact and status pages."""

from pydantic import BaseModel, Field, field_validator

from portal_app.infra.production import valid_rate


class SupportSettings(BaseModel):
    """What help pages say of this provider, and the limits of what needs no account."""

    portal_support_phone: str = Field("", description="Telephone number of support; empty: none is shown")
    portal_support_hours_en: str = Field(
        "Monday to Friday, 10:00 to 18:00 (Japan time), except public holidays",
        description="When support is there, in English",
    )
    portal_support_hours_ja: str = Field(
        "月曜日〜金曜日 10:00〜18:00（祝日を除く）", description="When support is there, in Japanese"
    )
    portal_sim_apn: str = Field("", description="APN of SIM lines; empty: help says where customers find it")
    portal_sim_apn_user: str = Field("", description="User name that goes with the APN; empty: left blank")
    portal_sim_apn_password: str = Field("", description="Password that goes with the APN; empty: left blank")
    portal_help_limit: str = Field(
        "120/minute", description="Searches of help and answers to it per network address and web worker"
    )
    portal_contact_limit: str = Field("5/hour", description="Codes of the contact form mailed per e-mail address")
    portal_contact_network_limit: str = Field(
        "10/hour", description="Codes of the contact form mailed per network address"
    )
    portal_contact_total_limit: str = Field(
        "200/hour", description="Questions of the contact form that reach the team, of everybody together"
    )

    @field_validator(
        "portal_help_limit", "portal_contact_limit", "portal_contact_network_limit", "portal_contact_total_limit"
    )
    @classmethod
    def _support_limits_make_sense(cls, text: str) -> str:
        return valid_rate(text)
