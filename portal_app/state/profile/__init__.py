"""State of the pages of the account's own data and identity documents."""
