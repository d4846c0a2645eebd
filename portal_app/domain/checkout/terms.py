"""Which terms of service are in force: an order records the version that was accepted."""

TERMS_VERSION = "2026-11-01"
