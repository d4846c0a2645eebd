"""A customer's own data and identity documents."""
