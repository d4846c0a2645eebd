"""The database, asked as its owner."""

import asyncio
from typing import Any

import psycopg


class Owner:
    """One connection for a whole test, which asks many times a second; made again where the server was restarted."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = asyncio.Lock()
        self._connection: psycopg.AsyncConnection | None = None

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        async with self._lock:
            try:
                return await self._rows(query, values)
            except psycopg.OperationalError:
                if self._connection is not None and not self._connection.closed:
                    raise
                return await self._rows(query, values)

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            await self._connection.close()

    async def _rows(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        cursor = await self._connection.execute(query, values)
        return await cursor.fetchall() if cursor.description else []
