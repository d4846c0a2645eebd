"""Routes of services and their cancellation."""
