"""Finds an nginx for the tests behind a proxy, or installs Debian's."""

import os
import shutil

from portal_app.local.bootstrap import install_system_packages
from portal_app.local.supervisor import print_line

# Debian installs nginx in a folder that is on the PATH of root only.
_PLACES = ("/usr/sbin", "/usr/local/sbin")


def find_nginx() -> str | None:
    """Return the path of nginx on this machine, or None."""
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_PLACES]))


def ensure_nginx() -> str | None:
    """Return the path of nginx, installing it if possible; None if it is not available."""
    if (found := find_nginx()) is None and install_system_packages("nginx"):
        found = find_nginx()
    return found


if __name__ == "__main__":
    print_line(
        f"Proxy: {ensure_nginx() or 'no nginx here and no right to install it: tests behind a proxy are left out'}"
    )
