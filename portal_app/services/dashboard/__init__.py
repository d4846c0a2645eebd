"""The summary of an account, and its days as a calendar feed."""
