"""Tasks of asyncio: deadlines, shielded and background work."""
