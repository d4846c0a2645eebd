"""State of the pages of signing in, account recovery and security."""
