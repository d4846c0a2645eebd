"""The plans on offer."""
