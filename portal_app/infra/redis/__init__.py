"""Redis: cache, rate limits, live updates and batched calls."""
