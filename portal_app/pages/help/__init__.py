"""Help and contact."""
