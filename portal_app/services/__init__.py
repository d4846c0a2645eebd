"""What the portal does: one public method per thing a customer can do."""
