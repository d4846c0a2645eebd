"""Pages of placed orders."""
