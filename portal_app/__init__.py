"""The customer portal."""

import os

# prometheus_client asks only whether the name is there, when it is imported; an empty value means unset, as everywhere.
if not os.environ.get("PROMETHEUS_MULTIPROC_DIR", "unset"):
    del os.environ["PROMETHEUS_MULTIPROC_DIR"]
