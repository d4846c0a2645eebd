"""The settings of the vendors and of the mail server."""

from typing import Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from portal_app.infra.production import valid_rate


class VendorSettings(BaseModel):
    """Addresses, credentials and limits of each vendor. Durations are seconds unless the name says otherwise."""

    vendor_customer_share_percent: int = Field(
        50, ge=1, le=100, description="Share of a vendor's rate, concurrency and queue that one customer may use"
    )
    vendor_local_share_percent: int = Field(
        50, ge=1, le=100, description="Share of a vendor's rate and concurrency that each process allows without Redis"
    )

    whmcs_url: str = Field("", description="Address of the WHMCS client area, without a slash at the end")
    whmcs_api_url: str = Field("", description="Full address of WHMCS's includes/api.php")
    whmcs_api_identifier: str = Field("", description="API credential: identifier")
    whmcs_api_secret: SecretStr = Field(SecretStr(""), description="API credential: secret")
    whmcs_access_key: SecretStr = Field(SecretStr(""), description="Optional key past WHMCS's address list")
    whmcs_timezone: str = Field("Asia/Tokyo", description="Zone of WHMCS's naive times")
    whmcs_currency: str = Field("JPY", description="Currency code of the portal's clients")
    whmcs_payment_method: str = Field("stripe", description="Gateway system name for orders")
    whmcs_customer_number_field: int = Field(198, description="Client custom field that holds the customer number")
    whmcs_reference_field: str = Field("Portal Reference", description="Product custom field that holds our reference")
    whmcs_shown_fields: str = Field(
        "", description="Product custom fields customers may read on their services, comma separated"
    )
    whmcs_opportunity_field: str = Field(
        "OpportunityId", description="Custom field of internet services for the Salesforce opportunity"
    )
    whmcs_sim_fields: str = Field(
        "SIM Number,Serial Number,EID", description="Product custom fields that take a line's number, ICCID and EID"
    )
    whmcs_default_method_first: bool = Field(
        False, description="This WHMCS lists the stored payment method it charges by default first"
    )
    whmcs_order_no_invoice: bool = Field(False, description="Place orders without an invoice")
    whmcs_webhook_secrets: SecretStr = Field(
        SecretStr(""), description="Up to two key:secret pairs, comma separated; empty turns the webhook off"
    )
    whmcs_settle_seconds: float = Field(
        60.0, description="How long a write whose answer was lost may still be running inside WHMCS"
    )
    whmcs_early_hook_seconds: float = Field(
        5.0, description="When to look again after a hook that fires before the change it tells of"
    )
    whmcs_timeout: float = Field(15.0, gt=0, description="Longest wait for one WHMCS answer")
    whmcs_concurrency: int = Field(8, ge=1, description="WHMCS calls at once, over all processes")
    whmcs_rate: str = Field("300/minute", description="WHMCS calls in any window, over all processes")
    whmcs_queue: int = Field(200, ge=0, description="WHMCS calls that may wait for their turn, over all processes")
    whmcs_wait: float = Field(15.0, gt=0, description="Longest wait of a WHMCS call for its turn")

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

    portal_auto_top_up_reading_hours: float = Field(
        36.0, gt=0, description="How old, in hours, a reading may be from which data are bought by themselves"
    )
    portal_auto_top_up_month_end_hours: float = Field(
        6.0, ge=0, description="Hours before a month's end in which no data are bought by themselves"
    )

    portal_voice_skus: str = Field(
        "voice_mail=SIM-ADDON-VOICE-MAIL,call_waiting=SIM-ADDON-CALL-WAITING,roaming=SIM-ADDON-ROAMING",
        description="Voice options that customers switch, as option=SKU of the product that bills it",
    )
    portal_plan_cut_off_days: int = Field(
        1, ge=0, le=27, description="Days before a month's last day at whose end a plan change is sent to the carrier"
    )
    portal_plan_late_hours: float = Field(
        24.0, gt=0, description="How long after the 1st begins a new plan may not show before it counts as failed"
    )
    portal_plan_poll_seconds: float = Field(
        600.0, gt=0, description="How often a line is read on the 1st while its new plan does not show"
    )

    sf_login_url: str = Field("https://login.salesforce.com", description="Salesforce login host")
    sf_audience: str = Field("", description="Audience of the login token; the login host when empty")
    sf_client_id: str = Field("", description="Consumer key of the connected app")
    sf_username: str = Field("", description="Name of the integration user")
    sf_private_key_file: str = Field("", description="PEM file of the key that signs the login")
    sf_ca_file: str = Field("", description="CA file when Salesforce's certificate is not publicly trusted")
    sf_api_version: str = Field("62.0", description="REST API version")
    sf_pubsub_endpoint: str = Field("api.pubsub.salesforce.com:7443", description="host:port of the Pub/Sub API")
    sf_pubsub_ca_file: str = Field("", description="CA file of the Pub/Sub endpoint")
    sf_events_enabled: bool = Field(True, description="Listen for Salesforce events")
    sf_events_replay: Literal["LATEST", "ALL"] = Field(
        "ALL", description="Where a topic never read begins; ALL misses nothing, and known events do nothing twice"
    )
    sf_provision_event_channel: str = Field(
        "/event/Order_Fulfilment_Requested__e", description="Topic that asks for fulfilment"
    )
    sf_change_channels: str = Field(
        "/data/Product2ChangeEvent,/data/PricebookEntryChangeEvent,/data/OrderChangeEvent,/data/AccountChangeEvent,"
        "/data/CaseChangeEvent",
        description="Change event topics to follow, comma separated; none: follow none",
    )
    sf_timeout: float = Field(20.0, gt=0, description="Longest wait for one Salesforce answer")
    sf_concurrency: int = Field(8, ge=1, description="Salesforce calls at once, over all processes")
    sf_rate: str = Field("600/minute", description="Salesforce calls in any window, over all processes")
    sf_queue: int = Field(200, ge=0, description="Salesforce calls that may wait for their turn, over all processes")
    sf_wait: float = Field(15.0, gt=0, description="Longest wait of a Salesforce call for its turn")
    sf_long_timeout: float = Field(120.0, gt=0, description="Longest wait for one answer to a long Salesforce call")
    sf_long_concurrency: int = Field(4, ge=1, description="Long Salesforce calls (files, wide queries) at once")
    sf_long_rate: str = Field("60/minute", description="Long Salesforce calls in any window, over all processes")
    sf_long_queue: int = Field(20, ge=0, description="Long Salesforce calls that may wait for their turn")
    sf_long_wait: float = Field(60.0, gt=0, description="Longest wait of a long Salesforce call for its turn")
    sf_background_percent: int = Field(80, ge=0, le=100, description="Share of daily calls where background work stops")
    sf_customer_percent: int = Field(
        95, ge=0, le=100, description="Share of the org's daily requests at which orders and other work stop calling"
    )
    sf_limit_seconds: int = Field(
        300, ge=1, description="How long the known count of daily requests is used before one call reads it again"
    )
    sf_file_megabytes: int = Field(25, ge=1, le=2000, description="Largest file the portal stores in Salesforce")
    sf_threads: int = Field(8, ge=1, description="Threads for Salesforce calls in one process")
    portal_pricebook_id: str = Field("", description="Salesforce price book of the portal")

    freebit_url: str = Field("", description="Address of Freebit's API up to /emptool/api; empty turns SIM lines off")
    freebit_client_id: str = Field("", description="Freebit's oemId")
    freebit_client_secret: SecretStr = Field(SecretStr(""), description="Freebit's oemKey")
    freebit_ca_file: str = Field("", description="CA file when Freebit's certificate is not publicly trusted")
    freebit_key_seconds: int = Field(1200, description="How long an auth key is used; its real life is not documented")
    freebit_success_code: str = Field("100", description="resultCode of success")
    freebit_success_status: str = Field("200", description="statusCode that goes with it; none: not looked at")
    freebit_auth_codes: str = Field(
        "401", description="Codes of a dead auth key, comma separated, family or full; none: no such code"
    )
    freebit_missing_codes: str = Field("210", description="Codes of an account that does not exist; none: no such code")
    freebit_locked_codes: str = Field(
        "409", description="Codes of a line that is still being changed; none: no such code"
    )
    freebit_paths: str = Field("", description="Paths that differ, as PA03-02=master/getAcnt/, comma separated")
    freebit_fields: str = Field("", description="Field names that differ, as roaming=worldWing, comma separated")
    freebit_version: str = Field("", description="The field version where Freebit takes one; empty: not sent")
    freebit_esim_kinds: str = Field(
        "voice=E0,data=E2,sms=E3", description="simKind of an eSIM by what its plan carries; sms: data with SMS"
    )
    freebit_esim_kind: str = Field("", description="Former name, for this release: simKind of eSIMs with voice")
    freebit_preregister: bool = Field(False, description="Announce physical SIMs (PA05-18) before registering them")
    freebit_usage_unit: int = Field(1024, ge=1, description="Bytes in one unit of traffic")
    freebit_usage_seconds: int = Field(
        300, ge=300, description="How long a line's usage is kept before it is read again"
    )
    freebit_usage_columns: str = Field(
        "account,date,traffic", description="Columns of the daily usage file: number, day and amount"
    )
    freebit_usage_order: Literal["newest", "oldest"] = Field(
        "newest", description="Which of the days before today Freebit names first in PA05-01"
    )
    freebit_poll_reads: int = Field(
        0, ge=0, le=4, description="Times a day that each line is read without a visitor; 0: never, a file tells usage"
    )
    freebit_poll_batch: int = Field(20, ge=1, le=200, description="Lines that one run of polling reads at most")
    freebit_call_columns: str = Field(
        "account,datetime,type,number,seconds,charge",
        description="Columns of the file of calls: line, begin, kind, other number, seconds and, if it has it, charge",
    )
    freebit_call_kinds: str = Field(
        "voice=call,sms=sms", description="The file's words for calls and SMS, as word=call and word=sms"
    )
    freebit_reconcile_batch: int = Field(
        40, ge=1, description="Lines that one run of the nightly comparison reads at Freebit"
    )
    freebit_lock_seconds: int = Field(1800, description="How long a line is locked after a 4G/5G or voice change")
    freebit_pending_seconds: int = Field(600, description="How long an asynchronous order may take at Freebit")
    freebit_poll_seconds: float = Field(15.0, description="How long to wait before a new line's state is read again")
    freebit_opening_seconds: int = Field(
        3600, description="How long a new line may take before agents are asked to check it"
    )
    freebit_check_seconds: int = Field(
        10, ge=1, description="How long the health page believes that Freebit answers; after a failed call, not at all"
    )
    freebit_timeout: float = Field(20.0, gt=0, description="Longest wait for one Freebit answer")
    freebit_queue: int = Field(100, ge=0, description="Freebit calls that may wait for their turn, over all processes")
    freebit_wait: float = Field(20.0, gt=0, description="Longest wait of a Freebit call for its turn")
    freebit_concurrency: int = Field(4, ge=1, description="Freebit calls at once, over all processes")
    freebit_rate: str = Field("120/minute", description="Freebit calls in any window, over all processes")

    smtp_host: str = Field("127.0.0.1", description="Mail server")
    smtp_port: int = Field(25, ge=1, le=65535, description="Mail server's port")
    smtp_username: str = Field("", description="Mail server's user")
    smtp_password: SecretStr = Field(SecretStr(""), description="Mail server's password")
    smtp_start_tls: bool = Field(False, description="Insist on STARTTLS")
    smtp_tls: bool = Field(False, description="TLS from the first byte, as on port 465; instead of SMTP_START_TLS")
    smtp_ca_file: str = Field("", description="CA file when the mail server's certificate is not publicly trusted")
    smtp_timeout: float = Field(10.0, gt=0, description="Longest wait for one answer of the mail server")

    @model_validator(mode="after")
    def _mail_has_one_kind_of_tls(self) -> Self:
        if self.smtp_tls and self.smtp_start_tls:
            raise ValueError("SMTP_TLS and SMTP_START_TLS exclude each other")
        return self

    @field_validator("whmcs_rate", "sf_rate", "sf_long_rate", "freebit_rate")
    @classmethod
    def _rates_make_sense(cls, text: str) -> str:
        return valid_rate(text)

    @field_validator("whmcs_timezone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("must be a time zone such as Asia/Tokyo")
        return name

    @field_validator(
        "sf_change_channels",
        "freebit_success_status",
        "freebit_auth_codes",
        "freebit_missing_codes",
        "freebit_locked_codes",
    )
    @classmethod
    def _none_is_empty(cls, text: str) -> str:
        # An empty variable keeps the default, so that nothing at all needs a word.
        return "" if text == "none" else text
