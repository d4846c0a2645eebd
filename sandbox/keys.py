"""The sandbox's keys: a certificate authority, a server certificate and the portal's Salesforce client key."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = 10
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class Keys:
    """Paths of the key files below home/keys. Making one of these makes the missing files; none is overwritten."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "keys"
        self.ca = self.folder / "ca.pem"
        self.ca_key = self.folder / "ca.key"
        self.server = self.folder / "server.pem"
        self.server_key = self.folder / "server.key"
        self.client_key = self.folder / "sf_client.key"
        self.client_public = self.folder / "sf_client.pub"

    def ensure(self) -> None:
        """Make what is missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.ca.exists() and self.server.exists()):
            self._make_certificates()
        if not self.client_key.exists():
            _write_key(self.client_key, _new_key())
        if not self.client_public.exists():
            public = _read_key(self.client_key).public_key()
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            _write(self.client_public, public.public_bytes(serialization.Encoding.PEM, form))

    def _make_certificates(self) -> None:
        if not self.ca.exists():
            key = _new_key()
            _write_key(self.ca_key, key)
            _write(self.ca, _authority(key).public_bytes(serialization.Encoding.PEM))
        key = _new_key()
        authority = x509.load_pem_x509_certificate(self.ca.read_bytes())
        certificate = _server(key, authority, _read_key(self.ca_key))
        _write_key(self.server_key, key)
        _write(self.server, certificate.public_bytes(serialization.Encoding.PEM))


def _authority(key: RSAPrivateKey) -> x509.Certificate:
    name = _name("Sandbox CA")
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True).sign(key, hashes.SHA256())


def _server(key: RSAPrivateKey, authority: x509.Certificate, authority_key: RSAPrivateKey) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name("localhost"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "key_encipherment"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    builder = builder.not_valid_after(start + timedelta(days=365 * _YEARS))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in wanted for name in _USAGES})


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _read_key(path: Path) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key


def _write_key(path: Path, key: RSAPrivateKey) -> None:
    form, open_text = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write(path, key.private_bytes(serialization.Encoding.PEM, form, open_text), mode=0o600)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write beside and rename, so that a kill never leaves half a key."""
    draft = path.with_suffix(path.suffix + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
