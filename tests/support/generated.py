"""How many generated cases a test tries: always the same few, or CONTRACT_EXAMPLES truly random ones (`make soak`)."""

import os
from typing import Any

_ASKED = os.environ.get("CONTRACT_EXAMPLES", "")


def examples(few: int) -> dict[str, Any]:
    """Return the settings of hypothesis for a test that tries a few cases in CI."""
    return {
        "max_examples": int(_ASKED or few),
        "derandomize": not _ASKED,
        "deadline": None,
        # Nothing is carried over from one run to the next.
        "database": None,
    }
