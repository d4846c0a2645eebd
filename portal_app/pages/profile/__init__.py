"""Pages of the account's own data and identity documents."""
