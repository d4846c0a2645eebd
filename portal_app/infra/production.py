"""What production needs of its settings: a table of rules. Each names a setting and what to set, never the value."""

import base64
import binascii
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from limits import parse
from pydantic import SecretStr

# What an operator may accept by name in PORTAL_ACCEPTED_RISKS, and the rule that it lifts.
PLAIN_MAIL, NO_PROXY = "plain-mail", "no-proxy"
RISKS = frozenset({PLAIN_MAIL, NO_PROXY})

# Everybody can read these in the source: the development secret and the sandbox's.
PUBLISHED = ("only-for-development-only-for-development", "sandbox-webhook-secret")
_OWN_SECRETS = ("jwt_secret", "jwt_refresh_secret", "portal_pepper", "portal_index_key")
_SECRET_BYTES, _SECRET_BITS, _MOST_ALIKE = 32, 96, 0.6
_KEY_BYTES, _FEWEST_DIFFERENT_BYTES = 32, 12
_RANDOM = "must be a random secret of at least 32 bytes: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_RANDOM_KEYS = (
    "must be id:base64 of 32 random bytes, comma separated, no id and no key twice: "
    """python3 -c 'import base64, os; print("1:" + base64.b64encode(os.urandom(32)).decode())'"""
)
_PASSWORD = "must have a password where PostgreSQL is on another host"  # noqa: S105  a message
_Values = Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One need: `holds` is asked for the setting's value and all settings; `must` tells an operator what to set."""

    name: str
    holds: Callable[[Any, _Values], bool]
    must: str
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A setting that production refuses, and what it must be."""

    setting: str
    must: str

    def __str__(self) -> str:
        return f"{self.setting} {self.must}"


def findings(settings: _Values) -> list[Finding]:
    """Return what production refuses of these settings: one finding for each setting, in the order of the table."""
    accepted = settings.accepted_risks
    found: dict[str, Finding] = {}
    for rule in RULES:
        if rule.name not in found and rule.risk not in accepted and not rule.holds(_plain(settings, rule), settings):
            found[rule.name] = Finding(rule.name.upper(), rule.must)
    return list(found.values())


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def valid_rate(text: str) -> str:
    """Return a rate as it is given. Raises ValueError for what is none."""
    try:
        parse(text)
    except ValueError:
        raise ValueError("must be a rate such as 10/minute") from None
    return text


def is_random_secret(secret: str) -> bool:
    """Return whether a secret is long, of many different characters, no repetition, and not like a published one."""
    size = len(secret)
    repeats = secret in (secret + secret)[1:-1]
    bits = -sum(count * math.log2(count / size) for count in Counter(secret).values())
    return len(secret.encode()) >= _SECRET_BYTES and bits >= _SECRET_BITS and not repeats and not _is_published(secret)


def is_random_key(key: bytes) -> bool:
    """Return whether a key is 32 bytes that nobody typed: text is, and so are few different bytes."""
    is_typed = key.isascii() and key.decode("ascii", "replace").isprintable()
    return len(key) == _KEY_BYTES and len(set(key)) >= _FEWEST_DIFFERENT_BYTES and not is_typed


def key_ids(text: str) -> list[int]:
    """Return the ids of a key ring. Raises ValueError if it is not one, or holds a key that is not random."""
    keys: dict[int, bytes] = {}
    for entry in text.split(","):
        name, _, encoded = entry.strip().partition(":")
        number, key = int(name), base64.b64decode(encoded, validate=True)
        if not 0 <= number <= 0xFFFF or number in keys or key in keys.values() or not is_random_key(key):
            raise ValueError("not a key ring of random keys")
        keys[number] = key
    return list(keys)


def _plain(settings: _Values, rule: Rule) -> Any:
    value = getattr(settings, rule.name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _is_published(secret: str) -> bool:
    given = secret.strip().lower()
    return any(
        SequenceMatcher(None, given, each, autojunk=False).ratio() >= _MOST_ALIKE or each in given for each in PUBLISHED
    )


def _differs(name: str) -> Callable[[str, _Values], bool]:
    def holds(secret: str, settings: _Values) -> bool:
        before = _OWN_SECRETS[: _OWN_SECRETS.index(name)]
        return secret.strip() not in {getattr(settings, other).get_secret_value().strip() for other in before}

    return holds


def _is_key_ring(text: str, _: _Values) -> bool:
    try:
        return bool(key_ids(text))
    except (ValueError, binascii.Error):
        return False


def _is_current_key(number: int, settings: _Values) -> bool:
    keys = settings.portal_keys.get_secret_value()
    return number == 0 or not _is_key_ring(keys, settings) or number in key_ids(keys)


def _is_operator_token(token: str, settings: _Values) -> bool:
    own = {getattr(settings, name).get_secret_value() for name in _OWN_SECRETS}
    return not token or (is_random_secret(token) and token not in own)


def _are_hook_secrets(text: str, settings: _Values) -> bool:
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    own = {getattr(settings, name).get_secret_value() for name in _OWN_SECRETS}
    return len(pairs) <= 2 and all(key and is_random_secret(secret) and secret not in own for key, _, secret in pairs)


def _is_public_https(url: str, _: _Values) -> bool:
    return url.startswith("https://") and not is_loopback(urlsplit(url).hostname)


def _is_set(value: str, _: _Values) -> bool:
    return bool(value.strip())


def _is_https(url: str, _: _Values) -> bool:
    """Say whether nobody on the way can read along: TLS, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )


def _is_private_key(file: str, _: _Values) -> bool:
    try:
        load_pem_private_key(Path(file).read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return False
    return True


def _has_password(role: Any) -> Callable[[str, _Values], bool]:
    def holds(_: str, settings: _Values) -> bool:
        parts = urlsplit(settings.database_url_for(role))
        options = parse_qs(parts.query)
        host = parts.hostname or (options.get("host") or [""])[0]
        is_local = not host or host.startswith("/") or is_loopback(host)
        return is_local or bool(parts.password) or any(name in options for name in ("passfile", "sslcert", "password"))

    return holds


def _redis_has_password(url: str, _: _Values) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "unix" or is_loopback(parts.hostname) or bool(parts.password)


def _mail_is_private(_: Any, settings: _Values) -> bool:
    has_secret = bool(settings.smtp_username or settings.smtp_password.get_secret_value())
    # SMTP_TLS is TLS from the first byte, SMTP_START_TLS the command for it.
    has_tls = settings.smtp_tls or settings.smtp_start_tls
    return has_tls or (is_loopback(settings.smtp_host) and not has_secret)


def _has_proxy(count: int, settings: _Values) -> bool:
    return count >= 1 or not settings.portal_url.startswith("https://")


def _is_domain_of_portal(domain: str, settings: _Values) -> bool:
    host = urlsplit(settings.portal_url).hostname or ""
    return not domain or host == domain or ("." in domain and host.endswith(f".{domain}"))


def _with_freebit(check: Callable[[str, _Values], bool]) -> Callable[[str, _Values], bool]:
    return lambda value, settings: not settings.freebit_url or check(value, settings)


def _secret_rules() -> Iterator[Rule]:
    for name in _OWN_SECRETS:
        yield Rule(name, lambda secret, _: is_random_secret(secret), _RANDOM)
        yield Rule(name, _differs(name), f"must differ from the other secrets. It {_RANDOM}")


RULES: tuple[Rule, ...] = (
    Rule("portal_url", _is_public_https, "must be the https address that customers use, as https://portal.example.jp"),
    *_secret_rules(),
    Rule("portal_keys", _is_key_ring, _RANDOM_KEYS),
    Rule("portal_key_current", _is_current_key, "must be the id of a key in PORTAL_KEYS, or 0 for the highest"),
    Rule("portal_operator_token", _is_operator_token, f"must be empty, or no other setting's. It {_RANDOM}"),
    Rule("bcrypt_rounds", lambda rounds, _: rounds >= 10, "must be at least 10"),
    Rule("portal_lock_tries", lambda tries, _: tries <= 20, "must be at most 20"),
    Rule("portal_passkey_rp_id", _is_domain_of_portal, "must be PORTAL_URL's host or a domain above it"),
    Rule("portal_clock_file", lambda file, _: file is None, "moves the clock: must be unset except in development"),
    Rule(
        "portal_trusted_proxies",
        _has_proxy,
        "must be the number of proxies in front, as PORTAL_URL is https and the portal itself speaks http; "
        f"or list {NO_PROXY} in PORTAL_ACCEPTED_RISKS: then all customers share the limits of one network address",
        risk=NO_PROXY,
    ),
    Rule("database_identity_url", _has_password("identity"), _PASSWORD),
    Rule("database_web_url", _has_password("web"), _PASSWORD),
    Rule("database_worker_url", _has_password("worker"), _PASSWORD),
    Rule("redis_url", _redis_has_password, "must have a password where Redis is on another host"),
    Rule(
        "smtp_start_tls",
        _mail_is_private,
        "or SMTP_TLS must be true: mails hold codes and links, and SMTP_PASSWORD travels with them; or list "
        f"{PLAIN_MAIL} in PORTAL_ACCEPTED_RISKS where the mail server is in the same private network",
        risk=PLAIN_MAIL,
    ),
    Rule("portal_mail_from", lambda sender, _: "@example.jp" not in sender, "must be a sender of your domain"),
    Rule("portal_support_email", lambda email, _: "@example.jp" not in email, "must be an address of yours"),
    Rule("whmcs_url", _is_https, "must be the https address of the WHMCS client area"),
    Rule("whmcs_api_url", _is_https, "must be the full https address of WHMCS's includes/api.php"),
    Rule("whmcs_api_identifier", _is_set, "must be the identifier of WHMCS's API credential"),
    Rule("whmcs_api_secret", _is_set, "must be the secret of WHMCS's API credential"),
    Rule(
        "whmcs_webhook_secrets",
        _are_hook_secrets,
        f"must be empty or at most two key:secret pairs, whose secret is no other setting's. Each {_RANDOM}",
    ),
    Rule("sf_login_url", _is_https, "must be the https address of Salesforce's login"),
    Rule("sf_client_id", _is_set, "must be the consumer key of the connected app"),
    Rule("sf_username", _is_set, "must be the name of the integration user"),
    Rule("sf_private_key_file", _is_private_key, "must name a PEM file with a private key that this user may read"),
    Rule("portal_pricebook_id", _is_set, "must be the id of the portal's Salesforce price book"),
    Rule("freebit_url", _with_freebit(_is_https), "must be an https address, or empty for no SIM lines"),
    Rule("freebit_client_id", _with_freebit(_is_set), "must be set where FREEBIT_URL is"),
    Rule("freebit_client_secret", _with_freebit(_is_set), "must be set where FREEBIT_URL is"),
)
