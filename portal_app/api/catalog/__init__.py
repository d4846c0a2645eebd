"""Routes of the plans on offer."""
