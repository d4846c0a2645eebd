"""Pages of the plans, for customers."""
