"""Routes of placing and following orders."""
