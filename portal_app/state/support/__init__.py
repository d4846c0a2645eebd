"""State of the support pages."""
