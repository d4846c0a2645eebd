"""Notices in the portal and e-mail preferences."""
