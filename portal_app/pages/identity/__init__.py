"""Pages of signing in, account recovery and security."""
