"""Cancellations that a library swallowed: asyncio.wait_for of Python 3.11 does, and redis-py and psycopg use it."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError where the present task was cancelled. Call it before a wait that nothing else ends."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
