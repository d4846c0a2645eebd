"""The settings without which production refuses to start."""

import base64
import os
import secrets
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRETS = {
    "jwt_secret": secrets.token_urlsafe(48),
    "jwt_refresh_secret": secrets.token_urlsafe(48),
    "portal_pepper": secrets.token_urlsafe(48),
    "portal_index_key": secrets.token_urlsafe(48),
    "portal_keys": "1:" + base64.b64encode(os.urandom(32)).decode(),
}

_HOME = tempfile.TemporaryDirectory(prefix="portal-needed-")


def needed() -> dict[str, Any]:
    """Return what production insists on, so that each test can be about one of it."""
    return {
        **SECRETS,
        "portal_env": "production",
        "portal_url": "https://portal.example.jp",
        "portal_trusted_proxies": 1,
        "portal_mail_from": "Portal <no-reply@portal.test>",
        "portal_support_email": "support@portal.test",
        "whmcs_url": "https://whmcs.example.jp",
        "whmcs_api_url": "https://whmcs.example.jp/includes/api.php",
        "whmcs_api_identifier": "identifier",
        "whmcs_api_secret": "of-whmcs",
        "sf_client_id": "client",
        "sf_username": "portal@example.jp",
        "sf_private_key_file": str(_key_file()),
        "portal_pricebook_id": "01s000000000001AAA",
    }


@cache
def _key_file() -> Path:
    """Return a PEM file with a key, made for this process."""
    file = Path(_HOME.name) / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file
