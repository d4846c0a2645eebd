"""Write .env.example and docs/settings.md from the settings, so that neither can be out of date."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from portal_app.infra.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]
GROUPS = {
    "portal": "The portal",
    "database": "PostgreSQL",
    "redis": "Redis",
    "jwt": "Tokens",
    "bcrypt": "Passwords",
    "vendor": "All vendors",
    "whmcs": "WHMCS",
    "sf": "Salesforce",
    "freebit": "Freebit",
    "smtp": "Mail",
    "cache": "How long what was read is kept, in seconds",
    "mirror": "Saved invoices and services",
    "tax": "Tax",
    "mnp": "Numbers brought along",
    "prometheus": "Figures",
}


# What nobody but the operator knows; everything else can stay at its default.
REQUIRED = (
    "portal_url",
    "portal_trusted_proxies",
    "portal_keys",
    "portal_pepper",
    "portal_index_key",
    "jwt_secret",
    "jwt_refresh_secret",
    "database_url",
    "redis_url",
    "smtp_host",
    "portal_mail_from",
    "portal_support_email",
    "whmcs_url",
    "whmcs_api_url",
    "whmcs_api_identifier",
    "whmcs_api_secret",
    "sf_client_id",
    "sf_username",
    "sf_private_key_file",
    "portal_pricebook_id",
)
_EXAMPLE_HEAD = """\
# Copy this file, fill in the first part, change of the rest what you want. Made from portal_app/infra/settings*.py by
# python -m portal_app.infra.settings_document. What is commented out or empty keeps its default.

# To be filled in
# A secret: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'
# A key: python3 -c 'import base64, os; print("1:" + base64.b64encode(os.urandom(32)).decode())'"""


def documents() -> dict[Path, str]:
    """Return the content of each generated file by its path."""
    return {_ROOT / ".env.example": env_example(), _ROOT / "docs" / "settings.md": settings_page()}


def env_example() -> str:
    """Return an environment file: what must be set, empty, then every other setting as a comment with its default."""
    lines = [_EXAMPLE_HEAD]
    for name in REQUIRED:
        lines += [f"# {Settings.model_fields[name].description}", f"{name.upper()}="]
    for group, fields in _groups():
        lines += ["", f"# {_title(group)}"]
        for name, field in fields:
            if name not in REQUIRED:
                lines += [f"# {field.description}", f"#{name.upper()}={_written(field)}"]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return every setting as tables."""
    lines = [
        "# Settings",
        "",
        "Made from `portal_app/infra/settings*.py` by `python -m portal_app.infra.settings_document`; do not edit. "
        "Settings come from the environment, or from the file that `PORTAL_ENV_FILE` names; the environment wins. "
        "An empty value is an unset one; `.env.example` begins with what must be set. "
        "An unset `PORTAL_ENV` means production, where a secret left at its default refuses to start.",
    ]
    for group, fields in _groups():
        lines += ["", f"## {_title(group)}", "", "| setting | default | what it is |", "|---|---|---|"]
        lines += [f"| `{name.upper()}` | {_shown(field)} | {field.description} |" for name, field in fields]
    return "\n".join(lines) + "\n"


def _groups() -> Iterator[tuple[str, list[tuple[str, FieldInfo]]]]:
    groups: dict[str, list[tuple[str, FieldInfo]]] = {name: [] for name in GROUPS}
    # What Settings itself holds comes before what it inherits.
    for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0] not in Settings.__annotations__):
        groups.setdefault(name.partition("_")[0], []).append((name, field))
    yield from groups.items()


def _title(group: str) -> str:
    return GROUPS.get(group, group.capitalize())


def _written(field: FieldInfo) -> str:
    default: Any = field.default
    if default is None or isinstance(default, SecretStr):
        return ""
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f'"{text}"' if any(letter in text for letter in " <>#") else text


def _shown(field: FieldInfo) -> str:
    if isinstance(field.default, SecretStr):
        return "*secret*" if field.default.get_secret_value() else "*empty*"
    return f"`{_written(field)}`" if _written(field) else "*empty*"


def write() -> None:
    """Write the files."""
    for path, text in documents().items():
        path.write_text(text)


if __name__ == "__main__":
    write()
