"""Services a customer has, and their end."""
