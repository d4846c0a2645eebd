"""The settings of data top-ups: what a GB costs, and how long each part of paying may take."""

from pydantic import BaseModel, Field


class TopUpSettings(BaseModel):
    """Prices in whole units of WHMCS_CURRENCY. Durations are seconds unless the name says otherwise."""

    portal_top_up_price: int = Field(
        500, ge=1, description="What 1 GB of a top-up costs without tax, in units of WHMCS_CURRENCY"
    )
    portal_top_up_due_days: int = Field(
        7, ge=0, le=60, description="Days until a top-up's invoice is due: the time before WHMCS charges it by itself"
    )
    portal_top_up_confirm_seconds: float = Field(
        1800.0, gt=0, description="How long a declined top-up can be paid at WHMCS before its invoice is cancelled"
    )
    portal_top_up_unknown_seconds: float = Field(
        900.0, gt=0, description="How long a charge may be unknown or pending before agents get a case"
    )
    portal_top_up_poll_seconds: float = Field(
        15.0, gt=0, description="How often WHMCS is asked whether a top-up is paid while its charge is unknown"
    )
