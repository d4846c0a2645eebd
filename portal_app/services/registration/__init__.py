"""Signing up, setting accounts up, and moving them over from WHMCS."""
