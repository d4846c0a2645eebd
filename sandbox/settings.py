"""Where the sandbox listens, what it calls itself and where it keeps its state: SANDBOX_* variables."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class SandboxSettings(BaseSettings):
    """Everything the sandbox process is told from outside.

    HOME holds the state file `sandbox.db` and the folder `keys/` (CA, server certificate, Salesforce client key).
    WORLD is the described world that fills empty vendors, see docs/integrations/sandbox.md.
    Ports: HTTP serves WHMCS below /whmcs, Salesforce at / (services/...), Freebit below /emptool and the back office
    below /office;
    HTTPS serves the same with the CA in keys/ca.pem; PUBSUB is gRPC over TLS; SMTP is the mail sink.
    """

    model_config = SettingsConfigDict(env_prefix="SANDBOX_")

    home: Path = Path(".portal/sandbox")
    world: Path = Path(__file__).with_name("world.toml")
    host: str = "127.0.0.1"
    http_port: int = 4100
    https_port: int = 4101
    pubsub_port: int = 4102
    smtp_port: int = 4103

    whmcs_identifier: str = "sandbox-identifier"
    whmcs_secret: str = "sandbox-secret"
    # The portal's credential may call the actions of its role, comma separated; empty means all. The admin's may all.
    whmcs_role: str = ""
    whmcs_admin_identifier: str = "sandbox-admin-identifier"
    whmcs_admin_secret: str = "sandbox-admin-secret"
    # Addresses that may call without the access key, comma separated and compared exactly; a star means everybody.
    whmcs_addresses: str = "*"
    whmcs_access_key: str = "sandbox-access-key"
    whmcs_webhook_url: str = ""
    whmcs_webhook_key: str = "k1"
    whmcs_webhook_secret: str = "sandbox-webhook-secret"
    portal_url: str = "http://localhost:3000"

    sf_client_id: str = "sandbox-consumer-key"
    sf_username: str = "portal@sandbox.example"
    sf_org_id: str = "00Dxx0000000001EAA"
    sf_audience: str = ""
    sf_daily_requests: int = 100_000

    freebit_oem_id: str = "sandbox-oem"
    freebit_oem_key: str = "sandbox-oem-key"
    freebit_key_seconds: int = 1800
    freebit_activation_seconds: int = 15
    freebit_lock_seconds: int = 1800

    @property
    def base_url(self) -> str:
        """The plain-http address of the sandbox."""
        return f"http://{self.host}:{self.http_port}"
