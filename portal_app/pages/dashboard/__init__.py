"""The page a customer starts from."""
