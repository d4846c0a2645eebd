"""What `sandbox env` prints: the settings with which the product, or any client, reaches a running sandbox."""

import json
from pathlib import Path
from typing import Any

from sandbox.keys import Keys
from sandbox.settings import SandboxSettings

_RUNNING, _REACHES = "running.json", "running.env"


def write_running(settings: SandboxSettings, facts: dict[str, Any]) -> None:
    """Write down what only the running sandbox knows: its ports and its price book, and the settings that reach it."""
    _write(settings.home / _RUNNING, json.dumps(facts))
    _write(settings.home / _REACHES, as_dotenv(environment(settings)) + "\n")


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text)
    draft.replace(path)


def has_run(home: Path) -> bool:
    """Say whether a sandbox has run in this home."""
    return (home / _RUNNING).exists()


def environment(settings: SandboxSettings) -> dict[str, str]:
    """Return the settings that reach the sandbox running in this home; the product's own names come first."""
    facts = json.loads((settings.home / _RUNNING).read_text())
    return _of_the_product(settings, facts) | _of_the_sandbox(settings, facts)


def as_dotenv(values: dict[str, str]) -> str:
    """Return settings as lines of a dotenv file."""
    return "\n".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _of_the_product(settings: SandboxSettings, facts: dict[str, Any]) -> dict[str, str]:
    host, plain, secure = settings.host, _plain(settings, facts), _secure(settings, facts)
    site = f"{plain}/whmcs"
    keys = Keys(settings.home.resolve())
    return {
        "WHMCS_API_URL": f"{site}/includes/api.php",
        "WHMCS_URL": site,
        "WHMCS_DEFAULT_METHOD_FIRST": "true",
        "WHMCS_API_IDENTIFIER": settings.whmcs_identifier,
        "WHMCS_API_SECRET": settings.whmcs_secret,
        "WHMCS_ACCESS_KEY": settings.whmcs_access_key,
        "WHMCS_WEBHOOK_SECRETS": f"{settings.whmcs_webhook_key}:{settings.whmcs_webhook_secret}",
        "SF_LOGIN_URL": secure,
        "SF_AUDIENCE": settings.sf_audience or secure,
        "SF_CLIENT_ID": settings.sf_client_id,
        "SF_USERNAME": settings.sf_username,
        "SF_PRIVATE_KEY_FILE": str(keys.client_key),
        "SF_CA_FILE": str(keys.ca),
        "SF_PUBSUB_ENDPOINT": f"{host}:{facts['pubsub_port']}",
        "SF_PUBSUB_CA_FILE": str(keys.ca),
        "FREEBIT_URL": f"{plain}/emptool/api",
        "FREEBIT_CLIENT_ID": settings.freebit_oem_id,
        "FREEBIT_CLIENT_SECRET": settings.freebit_oem_key,
        "PORTAL_PRICEBOOK_ID": facts["pricebook_id"],
        "SMTP_HOST": host,
        "SMTP_PORT": str(facts["smtp_port"]),
    }


def _of_the_sandbox(settings: SandboxSettings, facts: dict[str, Any]) -> dict[str, str]:
    plain = _plain(settings, facts)
    office = f"{plain}/office"
    return {
        "SANDBOX_URL": plain,
        "SANDBOX_HTTPS_URL": _secure(settings, facts),
        "SANDBOX_CA_FILE": str(Keys(settings.home.resolve()).ca),
        "SANDBOX_SF_ORG_ID": settings.sf_org_id,
        "SANDBOX_OFFICE_URL": office,
        "SANDBOX_FAULTS_URL": f"{office}/api/faults",
        "SANDBOX_SWITCHES_URL": f"{office}/api/switches",
        "SANDBOX_CLOCK_URL": f"{office}/api/clock",
        "SANDBOX_MAIL_URL": f"{office}/api/mail",
        "SANDBOX_RESET_URL": f"{office}/api/reset",
    }


def _plain(settings: SandboxSettings, facts: dict[str, Any]) -> str:
    return f"http://{settings.host}:{facts['http_port']}"


def _secure(settings: SandboxSettings, facts: dict[str, Any]) -> str:
    return f"https://{settings.host}:{facts['https_port']}"


def _quoted(value: str) -> str:
    if not set(value) & set(" #'\"$\\\n"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
