"""Against which systems a gateway's suite runs: the sandbox always, a vendor's own test system when it is named.

CONTRACT_SALESFORCE_ENV (and likewise CONTRACT_WHMCS_ENV, CONTRACT_FREEBIT_ENV) names a file of settings in dotenv form
that reach the test system, as `portal sandbox env` prints them for the sandbox. What a suite must know of the system
besides stands in the same file under a name that begins with CONTRACT_.
"""

import os

from dotenv import dotenv_values

from portal_app.infra.settings import Settings

SANDBOX, TEST_SYSTEM = "sandbox", "test-system"


def systems(vendor: str) -> list[str]:
    """Return the names of the systems a suite of this vendor runs on."""
    return [SANDBOX, TEST_SYSTEM] if _file(vendor) else [SANDBOX]


def settings_of_test_system(vendor: str) -> Settings:
    """Return the settings that reach a vendor's test system."""
    return Settings(_env_file=_file(vendor), portal_env="development")


def known_there(vendor: str, name: str) -> str:
    """Return what the file says besides the settings, such as the id of a client. Raises KeyError."""
    return dotenv_values(_file(vendor))[name] or ""


def _file(vendor: str) -> str:
    return os.environ.get(f"CONTRACT_{vendor.upper()}_ENV", "")
