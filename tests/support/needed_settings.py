"""The settings without which production refuses to start."""

from pydantic import SecretStr

from portal_app.infra.settings import Settings

SECRETS = {
    "jwt_secret": "a" * 40,
    "jwt_refresh_secret": "b" * 40,
    "portal_index_key": "c" * 40,
    "portal_keys": "1:" + "QUFB" * 10 + "QUE=",
}


PRODUCTION = {"portal_env": "production", "portal_url": "https://portal.example.jp", **SECRETS}


def needed() -> dict[str, str]:
    """Add the other secrets that production requires, so that each test is about one of them."""
    values = dict(PRODUCTION)
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr) and default.get_secret_value() and name not in values:
            values[name] = name[0] * 40
    return values
