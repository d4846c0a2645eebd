"""State of the pages of placed orders."""
