"""State of the pages of putting an order together."""
