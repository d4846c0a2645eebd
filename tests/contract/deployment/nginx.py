"""A real nginx in front of the web process: as Debian ships it, and with the sample that we ship."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal_app.local.ports import free_port
from portal_app.local.proxy import find_nginx
from tests.support.foreign_programs import need
from tests.support.waiting import LONGEST_SECONDS

SAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "nginx.conf"
HOST = "portal.example.jp"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def running_nginx(home: Path, inside_http: str) -> Iterator[None]:
    """Run nginx with what is said inside `http`, in `home`, until the block ends."""
    config = home / "nginx.conf"
    config.write_text(_whole(home, inside_http))
    command = [str(_nginx()), "-p", str(home), "-c", str(config), "-e", str(home / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0 and "[emerg]" not in checked.stderr, checked.stderr
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not _listens(home):
            assert process.poll() is None and time.monotonic() < deadline, (home / "error.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def stock(port: int, web: int) -> str:
    """Return a server that does nothing but pass requests on."""
    return f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{web}; }} }}"


def sample(port: int, plain_port: int, web: int) -> str:
    """Return our sample for ports of this machine: its lines marked "yours" are changed, no other one is."""
    changes = {
        "server 127.0.0.1:3000 max_fails=0;": f"server 127.0.0.1:{web} max_fails=0;",
        # A second unit that is away for good: every other request has to go on to the first.
        "server 127.0.0.1:3001 max_fails=0;": f"server 127.0.0.1:{free_port()} max_fails=0;",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
    }
    text = SAMPLE.read_text()
    for written, changed in changes.items():
        assert len(re.findall(rf"^ *{re.escape(written)} +# yours", text, re.M)) == 1, written
        text = text.replace(written, changed)
    return text


def make_certificate(home: Path) -> Path:
    """Write a key and a self-signed certificate where the sample looks for them; return the certificate."""
    folder = home / "portal"
    folder.mkdir(exist_ok=True)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "privkey.pem").write_bytes(key.private_bytes(pem, shape, serialization.NoEncryption()))
    return folder / "fullchain.pem"


def _nginx() -> Path:
    found = find_nginx()
    return Path(found) if found else need("nginx", get="apt-get install nginx")


def _whole(home: Path, inside_http: str) -> str:
    """Wrap what stands inside `http` as Debian's nginx.conf does, with all files below `home`."""
    temporary = "".join(f"{name}_temp_path {home}/{name};\n" for name in _TEMPORARY)
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = f"{user}pid {home}/pid;\nerror_log {home}/error.log warn;\nevents {{}}\n"
    return f"{main}http {{\naccess_log off;\n{temporary}{inside_http}\n}}\n"


def _listens(home: Path) -> bool:
    """The number is written down once all sockets are bound."""
    file = home / "pid"
    return file.exists() and bool(file.read_text().strip())
