"""Services a customer has, and their cancellation."""
