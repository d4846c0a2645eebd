"""A Salesforce sandbox on free ports: HTTP, HTTPS and Pub/Sub under a throw-away certificate authority."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette

from sandbox.broken_answers import CuttableProtocol
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.salesforce.bus.subscription import Pace
from sandbox.salesforce.org import SalesforceSandbox
from sandbox.salesforce.tables import STANDARD_PRICEBOOK_ID
from sandbox.settings import SandboxSettings
from sandbox.store import Store

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_QUICK = Pace(keepalive=0.3, idle_close=0.6)


@dataclass
class Keys:
    """Files and bytes of the test's own certificate authority, server and client."""

    ca_file: Path
    certificate_file: Path
    key_file: Path
    client_key_pem: bytes
    client_key: RSAKey
    client_public_pem: bytes

    def ssl_context(self) -> ssl.SSLContext:
        """Return a client's TLS context that trusts the authority."""
        return ssl.create_default_context(cafile=self.ca_file)


@dataclass
class Org:
    """A running sandbox and where to reach it."""

    sandbox: SalesforceSandbox
    store: Store
    clock: Clock
    faults: Faults
    settings: SandboxSettings
    keys: Keys
    http_url: str
    https_url: str
    pubsub_port: int

    def claims(self, **other: Any) -> dict[str, Any]:
        """Return good login claims, changed as asked."""
        good = {
            "iss": self.settings.sf_client_id,
            "sub": self.settings.sf_username,
            "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 180,
        }
        return good | other

    def assertion(self, key_pem: bytes | None = None, **other: Any) -> str:
        """Return a signed login assertion."""
        key = RSAKey.import_key(key_pem) if key_pem else self.keys.client_key
        return jwt.encode({"alg": "RS256"}, self.claims(**other), key, algorithms=["RS256"])

    async def token(self) -> str:
        """Log in and return the access token."""
        form = {"grant_type": JWT_GRANT, "assertion": self.assertion()}
        async with httpx.AsyncClient(base_url=self.http_url, trust_env=False, verify=False) as client:
            answer = await client.post("/services/oauth2/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def order_with_item(self, **fields: Any) -> str:
        """Put a draft order with one product into the org and return its id."""
        rows = self.sandbox.rows
        account_id = rows.create("Account", {"Name": "Sato Hanako"})
        product_id = rows.create("Product2", {"Name": "VPN Tokyo", "IsActive": True})
        price = {"Pricebook2Id": STANDARD_PRICEBOOK_ID, "Product2Id": product_id, "UnitPrice": 980, "IsActive": True}
        entry_id = rows.create("PricebookEntry", price)
        head = {"AccountId": account_id, "EffectiveDate": "2026-04-01", "Status": "Pending Review"}
        order_id = rows.create("Order", head | {"Pricebook2Id": STANDARD_PRICEBOOK_ID} | fields)
        rows.create("OrderItem", {"OrderId": order_id, "PricebookEntryId": entry_id, "Quantity": 1, "UnitPrice": 980})
        return order_id


def make_keys(folder: Path) -> Keys:
    """Make the certificates and the connected app's key pair."""
    ca_key, server_key, client_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    ca = _certificate("Sandbox test CA", ca_key, "Sandbox test CA", ca_key, is_ca=True)
    server = _certificate("localhost", server_key, "Sandbox test CA", ca_key, is_ca=False)
    files = {"ca.pem": _pem(ca), "server.pem": _pem(server), "server.key": _private_pem(server_key)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    client_pem = _private_pem(client_key)
    public = client_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Keys(
        folder / "ca.pem",
        folder / "server.pem",
        folder / "server.key",
        client_pem,
        RSAKey.import_key(client_pem),
        public,
    )


@asynccontextmanager
async def running_org(keys: Keys, folder: Path, pace: Pace = _QUICK) -> AsyncIterator[Org]:
    """Run a sandbox over the state file in a folder."""
    store = Store(folder / "sandbox.db")
    clock, faults, settings = Clock(store), Faults(store), SandboxSettings()
    sandbox = SalesforceSandbox(settings, store, clock, faults, keys.client_public_pem, pace=pace)
    app = Starlette(routes=sandbox.routes)
    tls = {"ssl_certfile": keys.certificate_file, "ssl_keyfile": keys.key_file}
    async with _served(app) as http_port, _served(app, **tls) as https_port:
        certificate, key = keys.certificate_file.read_bytes(), keys.key_file.read_bytes()
        pubsub_port = await sandbox.start_pubsub("127.0.0.1", 0, certificate, key)
        yield Org(
            sandbox,
            store,
            clock,
            faults,
            settings,
            keys,
            f"http://127.0.0.1:{http_port}",
            f"https://127.0.0.1:{https_port}",
            pubsub_port,
        )
        await sandbox.stop_pubsub()


@asynccontextmanager
async def _served(app: Starlette, **tls: Any) -> AsyncIterator[int]:
    # Named as TCP, so that asyncio switches off the delay of small packets on what it accepts.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1, http=CuttableProtocol, **tls
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()
        await asyncio.sleep(0)  # closed connections need one more turn of the loop


def _certificate(name: str, key: Any, issuer: str, issuer_key: Any, *, is_ca: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: Any) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
