"""Accounts, sessions, sign-in, second factors and account recovery."""
