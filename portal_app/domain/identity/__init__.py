"""Accounts, sign-in and second factors."""
