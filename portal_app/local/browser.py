"""Finds a Chromium for the browser tests, or installs one: from Debian, else Playwright's."""

import shutil
import subprocess
import sys
from pathlib import Path

from portal_app.local.bootstrap import install_system_packages
from portal_app.local.supervisor import print_line

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None) or _playwrights_own()


def ensure_browser() -> str:
    """Return the path of a Chromium, installing one if necessary. Exits if none can be installed."""
    found = find_browser()
    if found is None and install_system_packages("chromium"):
        found = find_browser()
    if found is None:
        print_line("Downloading Playwright's Chromium ...")
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        found = find_browser()
    if found is None:
        raise SystemExit("The browser tests need Chromium or Chrome on PATH; install one and try again.")
    return found


def _playwrights_own() -> str | None:
    """Return the path of Playwright's Chromium, or None. A subprocess keeps its event loop apart from the caller's."""
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    path = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout.strip()
    return path if path and Path(path).exists() else None


if __name__ == "__main__":
    print_line(f"Browser: {ensure_browser()}")
