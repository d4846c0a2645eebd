"""A passkey in software: makes and answers WebAuthn ceremonies as a device would, and wrongly on request."""

import base64
import hashlib
import json
import os
import struct
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from tests.support.clients.visitor import Visitor

_PRESENT, _VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


class SoftPasskey:
    """One credential for one site."""

    def __init__(self, origin: str, rp_id: str = "localhost") -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.id = os.urandom(32)
        self.count = 0
        self.cross_origin: object = False
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any], *, verified: bool = True) -> str:
        """Answer navigator.credentials.create."""
        flags = _PRESENT | _HAS_KEY | (_VERIFIED if verified else 0)
        attested = b"\0" * 16 + struct.pack(">H", len(self.id)) + self.id + self._public_key()
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(flags) + attested}
        response = {
            "clientDataJSON": _text(self._client("webauthn.create", options)),
            "attestationObject": _text(encode_cbor(statement)),
            "transports": ["internal", "no-such-transport"],
        }
        return self._credential(response)

    def prove(self, options: dict[str, Any], *, verified: bool = True, owner: bytes = b"", count: int = 0) -> str:
        """Answer navigator.credentials.get; `count` sets the device's counter back or forward."""
        self.count = count or self.count + 1
        data = self._data(_PRESENT | (_VERIFIED if verified else 0))
        client = self._client("webauthn.get", options)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            **({"userHandle": _text(owner)} if owner else {}),
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> str:
        name = _text(self.id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        content = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        content["crossOrigin"] = self.cross_origin
        return json.dumps(content).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _public_key(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})


async def add_passkey(somebody: Visitor, name: str = "Phone") -> SoftPasskey:
    """Give somebody's account a passkey."""
    passkey = SoftPasskey(somebody.settings.portal_url)
    options = (await somebody.call("POST", "/api/me/passkeys/options")).json()
    body = {"passkey": passkey.make(options), "name": name}
    answer = await somebody.call("POST", "/api/me/passkeys", body)
    assert answer.status_code == 201, answer.text
    return passkey


async def sign_in_options(somebody: Visitor) -> dict[str, Any]:
    """Return a fresh challenge for signing in with a passkey alone."""
    return (await somebody.call("POST", "/api/auth/passkey/options")).json()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
