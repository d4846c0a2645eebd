"""State of the pages of notices and e-mail preferences."""
