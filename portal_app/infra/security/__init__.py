"""Secrets: encryption, passwords, tokens, cookies and checks of uploads."""
