"""State of the pages of plans, and how prices are shown."""
