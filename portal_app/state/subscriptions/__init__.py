"""State of the pages of services and their cancellation."""
