"""Every setting of the portal, read from the environment once; unset means production."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal_app.infra.production import RISKS, Finding, findings, is_loopback
from portal_app.infra.settings_connections import ConnectionSettings
from portal_app.infra.settings_files import FileSettings
from portal_app.infra.settings_identity import IdentitySettings
from portal_app.infra.settings_retention import RetentionSettings
from portal_app.infra.settings_support import SupportSettings
from portal_app.infra.settings_vendors import VendorSettings

DatabaseRole = Literal["owner", "identity", "web", "worker"]


class RefusedInProduction(ValueError):
    """Production refuses these settings: one line for each."""

    def __init__(self, found: list[Finding]) -> None:
        super().__init__("".join(f"\n{each} (in production)" for each in found))
        self.found = found


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


class Settings(
    VendorSettings, IdentitySettings, ConnectionSettings, FileSettings, RetentionSettings, SupportSettings, BaseSettings
):
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
    portal_accepted_risks: str = Field(
        "", description="Rules of production that are lifted, comma separated: plain-mail, no-proxy"
    )
    portal_url: str = Field(
        "http://localhost:3000", description="The address customers use, without a slash at the end"
    )
    portal_port: int = Field(3000, ge=0, le=65535, description="The one port of the web process")
    portal_host: str = Field("127.0.0.1", description="The address the web process binds")
    portal_web_workers: int = Field(2, ge=1, le=64, description="Web worker processes")
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
    portal_metrics_port: int = Field(
        9100, ge=0, le=65535, description="Port of /metrics of the web processes; 0 turns it off"
    )
    portal_worker_metrics_port: int = Field(
        9101, ge=0, le=65535, description="Port of /metrics of the workers; 0 turns it off"
    )
    portal_listener_metrics_port: int = Field(
        9102, ge=0, le=65535, description="Port of /metrics of the listeners; 0 turns it off"
    )
    prometheus_multiproc_dir: str = Field(
        "", description="Folder where this host's processes share their figures; empty: one below the temporary folder"
    )
    portal_operator_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of operators for /api/health of vendors and events; empty closes these"
    )
    portal_trusted_proxies: int = Field(
        0, ge=0, le=10, description="How many reverse proxies stand in front and may be believed"
    )
    portal_log_format: Literal["json", "text"] = Field("json", description="json, or text for people")
    portal_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    portal_language: Literal["en", "ja"] = Field("en", description="Language of mails to customers who chose none")
    portal_support_email: str = Field("support@example.jp", description="Where customers can write to")
    portal_mail_from: str = Field("Portal <no-reply@example.jp>", description="Sender of the portal's mails")
    portal_clock_file: Path | None = Field(
        None, description="File with the seconds by which the portal's clock is moved; only in development"
    )
    portal_poll_seconds: float = Field(0.5, gt=0, le=60, description="How often a worker looks for new durable work")
    portal_card_poll_seconds: float = Field(
        60.0,
        gt=0,
        description="How soon an order that waits for a payment method looks for one; later less and less often",
    )
    portal_retry_seconds: float = Field(
        300.0, gt=0, description="Longest wait between two tries of a step whose vendor is away; 300 tries in all"
    )
    portal_breaker_failures: int = Field(5, ge=1, description="Failures in a row after which a vendor is left alone")
    portal_breaker_seconds: float = Field(
        10.0, gt=0, le=3600, description="How long a vendor is left alone before one call tries"
    )
    portal_drain_seconds: int = Field(
        30, ge=1, le=600, description="How long a stopping process finishes what it began"
    )

    database_url: str = Field("postgresql://portal@127.0.0.1:5432/portal", description="PostgreSQL as the owner role")
    database_identity_url: str = Field("", description="The same database as portal_identity; derived when empty")
    database_web_url: str = Field("", description="The same database as portal_web; derived when empty")
    database_worker_url: str = Field("", description="The same database as portal_worker; derived when empty")
    database_wait: float = Field(10.0, gt=0, description="Longest wait of a customer's request for a connection")
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="Redis or Valkey, with user and password")
    redis_timeout: float = Field(
        0.25, gt=0, description="Longest wait for one answer of Redis; then the portal goes on without it for a while"
    )

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
    cache_cases_seconds: int = Field(45, ge=5, description="Support cases and threads, without an event")
    cache_profile_seconds: int = Field(300, description="A customer's own data, kept sealed in PostgreSQL")
    cache_eligibility_seconds: int = Field(300, description="Where the address check of a customer stands")
    tax_percent: int = Field(10, ge=0, le=100, description="Consumption tax shown beside catalogue prices")
    mnp_min_days_left: int = Field(10, ge=0, le=14, description="Days a number's MNP reservation must still have")

    @field_validator("portal_url")
    @classmethod
    def _address_is_an_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or url != f"{parts.scheme}://{parts.netloc}".lower():
            raise ValueError("must be http(s)://host[:port] in lower case, without a path or a slash at the end")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            # Without https the session cookies would travel readable.
            raise ValueError("must be https, except on this machine itself")
        return url

    @field_validator("portal_accepted_risks")
    @classmethod
    def _risks_are_known(cls, text: str) -> str:
        if not _words(text) <= RISKS:
            raise ValueError(f"must name none but {', '.join(sorted(RISKS))}, comma separated")
        return text

    @model_validator(mode="after")
    def _refuse_what_production_must_not_have(self) -> "Settings":
        if self.portal_env == "production" and (found := findings(self)):
            raise RefusedInProduction(found)
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
    def accepted_risks(self) -> frozenset[str]:
        """The risks that the operator accepts by name; each lifts a rule of production."""
        return _words(self.portal_accepted_risks)

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
