"""Running small Node programs with pinned packages, installed once by npm into a folder of the system's temp place."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.foreign_programs import need

# avro-js, which the Pub/Sub client brings, forgets to name underscore among what it needs.
PACKAGES = ("jsforce@3.10.16", "salesforce-pubsub-api-client@5.5.2", "underscore@1.13.7")
_TIME_LIMIT = 60


def node_home() -> Path:
    """Return a folder with the packages installed; skips the test without Node, npm or a registry."""
    need("node", get="any Node 20 or newer")
    need("npm", get="it comes with Node")
    mark = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"portal-node-{os.getuid()}-{mark}"
    if not (home / "done").exists():
        _install(home)
    return home


async def run_node(script: str, **variables: str) -> dict[str, Any]:
    """Run a script beside this file and return the JSON of its last line."""
    home = await asyncio.to_thread(node_home)
    environment = {"PATH": os.environ["PATH"], "NODE_HOME": str(home), "NODE_NO_WARNINGS": "1", **variables}
    pipe = asyncio.subprocess.PIPE
    path = str(Path(__file__).with_name(script))
    process = await asyncio.create_subprocess_exec("node", path, env=environment, stdout=pipe, stderr=pipe)
    try:
        out, err = await asyncio.wait_for(process.communicate(), _TIME_LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-3000:]
    return dict(json.loads(out.decode().splitlines()[-1]))


def _install(home: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix="portal-node-"))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(draft), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        need("npm", get="a package registry it can reach", found=False)
    if done.returncode:
        need("npm", get=f"a package registry it can reach ({done.stderr[-200:]})", found=False)
    (draft / "done").touch()
    shutil.rmtree(home, ignore_errors=True)
    draft.rename(home)
