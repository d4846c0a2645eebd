"""Every setting of the portal, read from the environment once; unset means production."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from limits import parse
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SECRET = "only-for-development-only-for-development"  # noqa: S105  refused in production
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
DatabaseRole = Literal["owner", "identity", "web", "worker"]


class Settings(BaseSettings):
    """The portal's settings. Durations are seconds unless the name says otherwise."""

    # A file named by PORTAL_ENV_FILE may hold settings too; the environment itself wins.
    # An empty variable is an unset one: that is how env files and compose write what nobody filled in.
    # A refusal names the setting and never shows what was given: it may be a secret.
    model_config = SettingsConfigDict(
        env_file=os.environ.get("PORTAL_ENV_FILE") or None,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    portal_env: Literal["production", "development"] = Field("production", description="production or development")
    portal_url: str = Field(
        "http://localhost:3000", description="The address customers use, without a slash at the end"
    )
    portal_port: int = Field(3000, description="The one port of the web process")
    portal_host: str = Field("127.0.0.1", description="The address the web process binds")
    portal_web_workers: int = Field(2, description="Web worker processes")
    portal_connections: int = Field(
        4096, ge=128, description="Connections of one web worker at once; half of the files it may open at most"
    )
    portal_header_seconds: int = Field(
        10, ge=1, le=60, description="Longest wait for a request's headers, and for a connection's next request"
    )
    portal_body_seconds: float = Field(
        30.0, gt=0, description="Longest wait for a request's body, and a second more for each 4 KB of it"
    )
    portal_metrics_host: str = Field("127.0.0.1", description="The address that serves /metrics")
    portal_metrics_port: int = Field(9100, description="Port of /metrics of the web processes; 0 turns it off")
    portal_worker_metrics_port: int = Field(9101, description="Port of /metrics of the workers; 0 turns it off")
    portal_listener_metrics_port: int = Field(9102, description="Port of /metrics of the listeners; 0 turns it off")
    prometheus_multiproc_dir: str = Field(
        "", description="Folder where this host's processes share their figures; empty: one below the temporary folder"
    )
    portal_trusted_proxies: int = Field(0, description="How many reverse proxies stand in front and may be believed")
    portal_log_format: Literal["json", "text"] = Field("json", description="json, or text for people")
    portal_log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    portal_language: str = Field("en", description="Language of mails to customers who chose none")
    portal_support_email: str = Field("support@example.jp", description="Where customers can write to")
    portal_mail_from: str = Field("Portal <no-reply@example.jp>", description="Sender of the portal's mails")
    portal_clock_file: Path | None = Field(
        None, description="File with the seconds by which the portal's clock is moved; only in development"
    )
    portal_poll_seconds: float = Field(0.5, description="How often a worker looks for new durable work")
    portal_card_poll_seconds: float = Field(
        60.0, description="How soon an order that waits for a payment method looks for one; later less and less often"
    )
    portal_retry_seconds: float = Field(
        300.0, gt=0, description="Longest wait between two tries of a step whose vendor is away; 300 tries in all"
    )
    portal_breaker_failures: int = Field(5, ge=1, description="Failures in a row after which a vendor is left alone")
    portal_breaker_seconds: float = Field(10.0, description="How long a vendor is left alone before one call tries")
    portal_drain_seconds: int = Field(30, description="How long a stopping process finishes what it began")

    database_url: str = Field("postgresql://portal@127.0.0.1:5432/portal", description="PostgreSQL as the owner role")
    database_identity_url: str = Field("", description="The same database as portal_identity; derived when empty")
    database_web_url: str = Field("", description="The same database as portal_web; derived when empty")
    database_worker_url: str = Field("", description="The same database as portal_worker; derived when empty")
    database_wait: float = Field(10.0, gt=0, description="Longest wait of a customer's request for a connection")
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="Redis or Valkey, with user and password")
    redis_timeout: float = Field(
        0.25, gt=0, description="Longest wait for one answer of Redis; then the portal goes on without it for a while"
    )

    jwt_secret: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), description="Signs access tokens; at least 32 bytes")
    jwt_refresh_secret: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Keys the hash of refresh tokens and codes; at least 32 bytes"
    )
    portal_keys: SecretStr = Field(
        SecretStr("1:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        description="Encryption keys as id:base64 of 32 bytes, comma separated; every one of them opens",
    )
    portal_key_current: int = Field(0, ge=0, description="Id of the key that seals; 0 takes the highest of the ring")
    portal_pepper: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Keys the pre-hash of passwords; changing it voids every password"
    )
    portal_index_key: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), description="Keys the look-up hash of e-mails")
    bcrypt_rounds: int = Field(12, ge=4, le=16, description="Cost of password hashing")
    portal_access_seconds: int = Field(600, description="Life of an access token")
    portal_idle_seconds: int = Field(12 * 3600, description="A session ends after this long without use")
    portal_session_seconds: int = Field(30 * 86400, description="A session ends after this long in any case")
    portal_step_up_seconds: int = Field(300, description="How long a proof of who it is counts for risky changes")
    portal_refresh_grace_seconds: int = Field(60, description="How long a rotated refresh token is still accepted")
    portal_unlock_seconds: int = Field(3600, ge=60, description="Life of the mailed link that lifts a locked sign-in")
    portal_code_seconds: int = Field(600, description="Life of a mailed six-digit code")
    portal_code_attempts: int = Field(5, description="Tries for one mailed code")
    portal_second_step_seconds: int = Field(300, description="How long a sign-in waits for its second step")
    portal_passkey_rp_id: str = Field("", description="Domain that passkeys belong to; PORTAL_URL's host when empty")
    portal_sign_in_limit: str = Field("10/minute", description="Sign-in tries per network address")
    portal_sign_in_total_limit: str = Field("1200/minute", description="Sign-in tries of everybody together")
    portal_lock_tries: int = Field(5, ge=2, description="Failures in a row after which an account rests")
    portal_lock_seconds: int = Field(60, description="The first rest; it doubles with every further failure")
    portal_lock_longest_seconds: int = Field(3600, description="The longest rest")
    portal_reset_seconds: int = Field(1800, description="Life of a mailed link for a new password")
    portal_reset_limit: str = Field("5/hour", description="Such links mailed per e-mail address")
    portal_password_limit: str = Field("5/minute", description="Tries of the present password when changing it")
    portal_factor_limit: str = Field(
        "10/15 minutes", description="Tries to confirm or give a second factor per account"
    )
    portal_sign_up_limit: str = Field("10/hour", description="Codes mailed per e-mail address")
    portal_profile_limit: str = Field("30/hour", description="Changes of name, phone, e-mail or address per customer")
    portal_document_limit: str = Field("20/hour", description="Identity documents sent per customer, good or not")
    portal_event_limit: str = Field("600/minute", description="Events per browser tab")
    portal_socket_limit: int = Field(
        100, gt=0, description="Open tabs per network address (IPv6: per /64) and web worker"
    )
    portal_new_socket_limit: str = Field(
        "300/minute", description="Tabs opened per network address (IPv6: per /64) and web worker"
    )
    portal_stranger_seconds: int = Field(
        600, ge=60, description="How long the state of a tab without a session is kept after its last event"
    )
    portal_refusal_limit: str = Field(
        "120/minute", description="Refused forms per network address and web worker that their page tells of"
    )
    portal_key_wait_seconds: float = Field(
        10.0, ge=0, description="How long a repeated API call waits for the first one with its Idempotency-Key"
    )
    portal_calendar_limit: str = Field("60/hour", description="Readings of calendar links per network address")
    portal_cancellation_cut_off: int = Field(
        25, ge=1, le=28, description="Last day of a month, in Japan, on which a service can be cancelled for its end"
    )
    portal_due_notice_days: int = Field(
        3, ge=0, le=30, description="How many days before it is due an invoice is announced"
    )
    portal_api_limit: str = Field("600/minute", description="API calls per session")

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
    whmcs_timeout: float = Field(15.0, description="Longest wait for one WHMCS answer")
    whmcs_concurrency: int = Field(8, description="WHMCS calls at once, over all processes")
    whmcs_rate: str = Field("300/minute", description="WHMCS calls in any window, over all processes")
    whmcs_queue: int = Field(200, description="WHMCS calls that may wait for their turn, over all processes")
    whmcs_wait: float = Field(15.0, description="Longest wait of a WHMCS call for its turn")

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
        "/data/Product2ChangeEvent,/data/PricebookEntryChangeEvent,/data/OrderChangeEvent,/data/AccountChangeEvent",
        description="Change event topics to follow, comma separated; none: follow none",
    )
    sf_timeout: float = Field(20.0, description="Longest wait for one Salesforce answer")
    sf_concurrency: int = Field(8, description="Salesforce calls at once, over all processes")
    sf_rate: str = Field("600/minute", description="Salesforce calls in any window, over all processes")
    sf_queue: int = Field(200, description="Salesforce calls that may wait for their turn, over all processes")
    sf_wait: float = Field(15.0, description="Longest wait of a Salesforce call for its turn")
    sf_long_timeout: float = Field(120.0, description="Longest wait for one answer to a long Salesforce call")
    sf_long_concurrency: int = Field(4, description="Long Salesforce calls (files, wide queries) at once")
    sf_long_rate: str = Field("60/minute", description="Long Salesforce calls in any window, over all processes")
    sf_long_queue: int = Field(20, description="Long Salesforce calls that may wait for their turn")
    sf_long_wait: float = Field(60.0, description="Longest wait of a long Salesforce call for its turn")
    sf_background_percent: int = Field(80, ge=0, le=100, description="Share of daily calls where background work stops")
    sf_customer_percent: int = Field(
        95, ge=0, le=100, description="Share of the org's daily requests at which orders and other work stop calling"
    )
    sf_limit_seconds: int = Field(
        300, ge=1, description="How long the known count of daily requests is used before one call reads it again"
    )
    sf_file_megabytes: int = Field(25, ge=1, le=2000, description="Largest file the portal stores in Salesforce")
    sf_threads: int = Field(8, description="Threads for Salesforce calls in one process")
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
    freebit_esim_kind: str = Field("E0", description="simKind of an eSIM")
    freebit_preregister: bool = Field(False, description="Announce physical SIMs (PA05-18) before registering them")
    freebit_usage_unit: int = Field(1024, description="Bytes in one unit of traffic")
    freebit_usage_seconds: int = Field(
        300, ge=300, description="How long a line's usage is kept before it is read again"
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
    freebit_timeout: float = Field(20.0, description="Longest wait for one Freebit answer")
    freebit_queue: int = Field(100, description="Freebit calls that may wait for their turn, over all processes")
    freebit_wait: float = Field(20.0, description="Longest wait of a Freebit call for its turn")
    freebit_concurrency: int = Field(4, description="Freebit calls at once, over all processes")
    freebit_rate: str = Field("120/minute", description="Freebit calls in any window, over all processes")

    smtp_host: str = Field("127.0.0.1", description="Mail server")
    smtp_port: int = Field(25, description="Mail server's port")
    smtp_username: str = Field("", description="Mail server's user")
    smtp_password: SecretStr = Field(SecretStr(""), description="Mail server's password")
    smtp_start_tls: bool = Field(False, description="Insist on STARTTLS")

    cache_invoices_seconds: int = Field(90, description="Invoice list")
    cache_invoice_seconds: int = Field(300, description="One invoice")
    mirror_trust_seconds: int = Field(
        900, description="How old saved invoices and services may be on the dashboard before WHMCS is asked again"
    )
    mirror_patience_seconds: float = Field(
        1.5, description="How long a visit waits for vendors before it shows saved data or says so; readings go on"
    )
    mirror_reconcile_seconds: int = Field(
        86400, description="How old saved invoices and services may get before the schedule reads them again"
    )
    mirror_reconcile_batch: int = Field(
        60,
        description="Customers whose saved data one run of the schedule reads at least; more where needed",
    )
    cache_gateways_seconds: int = Field(3600, description="The ways to pay that are switched on")
    cache_payment_methods_seconds: int = Field(900, description="Stored cards")
    cache_subscriptions_seconds: int = Field(300, description="Services")
    cache_profile_seconds: int = Field(300, description="A customer's own data, kept sealed in PostgreSQL")
    cache_eligibility_seconds: int = Field(300, description="Where the address check of a customer stands")
    tax_percent: int = Field(10, description="Consumption tax shown beside catalogue prices")
    mnp_min_days_left: int = Field(10, ge=0, le=14, description="Days a number's MNP reservation must still have")

    @field_validator(
        "portal_sign_in_limit",
        "portal_sign_in_total_limit",
        "portal_reset_limit",
        "portal_password_limit",
        "portal_factor_limit",
        "portal_sign_up_limit",
        "portal_profile_limit",
        "portal_document_limit",
        "portal_event_limit",
        "portal_new_socket_limit",
        "portal_refusal_limit",
        "portal_calendar_limit",
        "portal_api_limit",
        "whmcs_rate",
        "sf_rate",
        "sf_long_rate",
        "freebit_rate",
    )
    @classmethod
    def _limits_make_sense(cls, text: str) -> str:
        parse(text)
        return text

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

    @field_validator("portal_url")
    @classmethod
    def _address_is_an_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or url != f"{parts.scheme}://{parts.netloc}".lower():
            raise ValueError("must be http(s)://host[:port] in lower case, without a path or a slash at the end")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            # Without https the session cookies would travel readable.
            raise ValueError("must be https, except on this machine itself")
        return url

    @model_validator(mode="after")
    def _refuse_development_secrets(self) -> "Settings":
        if self.portal_env == "production":
            for name in ("jwt_secret", "jwt_refresh_secret", "portal_pepper", "portal_index_key", "portal_keys"):
                value = getattr(self, name).get_secret_value()
                if value == type(self).model_fields[name].default.get_secret_value() or len(value) < 32:
                    raise ValueError(f"{name.upper()} must be set to a secret of at least 32 bytes in production")
        return self

    @model_validator(mode="after")
    def _refuse_a_moved_clock(self) -> "Settings":
        if self.portal_env == "production" and self.portal_clock_file is not None:
            raise ValueError("PORTAL_CLOCK_FILE moves the clock and is for development only")
        return self

    def database_url_for(self, role: DatabaseRole) -> str:
        """Return the SQLAlchemy address for a role; derived from DATABASE_URL where none is set."""
        url = {
            "owner": self.database_url,
            "identity": self.database_identity_url,
            "web": self.database_web_url,
            "worker": self.database_worker_url,
        }[role] or self._with_user(f"portal_{role}")
        return "postgresql+psycopg://" + url.split("://", 1)[1]

    @cached_property
    def is_secure(self) -> bool:
        """Whether customers reach the portal over https (then cookies are Secure and carry __Host-)."""
        return self.portal_url.startswith("https://")

    @cached_property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins that may open a websocket or send a form: exactly ours."""
        return (self.portal_url,)

    @cached_property
    def passkey_rp_id(self) -> str:
        """The domain that passkeys belong to."""
        return self.portal_passkey_rp_id or urlsplit(self.portal_url).hostname or ""

    @cached_property
    def private_key(self) -> str:
        """The PEM text that signs Salesforce logins."""
        return Path(self.sf_private_key_file).read_text()

    def _with_user(self, user: str) -> str:
        parts = urlsplit(self.database_url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{user}@{host}"))
