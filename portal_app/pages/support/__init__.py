"""The support pages."""
