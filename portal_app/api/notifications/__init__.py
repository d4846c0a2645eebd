"""Routes of e-mail preferences."""
