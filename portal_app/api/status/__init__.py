"""The status page, and following an announcement."""
