"""Log lines: set up, redacted, bounded."""
