"""Routes of support cases."""
