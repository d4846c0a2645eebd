"""Pages of putting an order together."""
