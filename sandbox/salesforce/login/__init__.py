"""Logins: assertions, tokens, and who a token stands for."""
