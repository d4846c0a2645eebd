"""Pages of notices and e-mail preferences."""
