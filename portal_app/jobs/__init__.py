"""The processes behind the pages: worker, listener, schedule."""

import gc

# A start imports two thousand modules and a request makes some thousand objects: with Python's own threshold of 700,
# searches for cyclic garbage take a quarter of the CPU of a start. Imported before all else of a process.
gc.set_threshold(50_000, 10, 10)
