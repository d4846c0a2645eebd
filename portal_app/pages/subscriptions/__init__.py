"""Pages of services and their cancellation."""
