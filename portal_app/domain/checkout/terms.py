"""The version of the terms of service in force; orders record the version that was accepted."""

TERMS_VERSION = "2026-11-01"
