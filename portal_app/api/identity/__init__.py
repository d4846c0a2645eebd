"""Routes of signing in, second factors, passwords, account recovery and security."""
