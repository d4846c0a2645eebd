"""Customers who keep a web process busy: they open pages and ask the API, again and again, and remember each answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.support.waiting import LONGEST_SECONDS, until


@dataclass(frozen=True)
class Answer:
    """What somebody got; status 0 is none at all."""

    path: str
    status: int
    headers: httpx.Headers

    @property
    def is_honest(self) -> bool:
        """Say whether it is an answer, or says that there is none now and when to come back."""
        return self.status == 200 or (self.status == 503 and int(self.headers.get("retry-after", "0")) > 0)


class Visitors:
    """Several at once, each asking for one address after the other."""

    def __init__(self, url: str, cookies: str, paths: tuple[str, ...]) -> None:
        self.answers: list[Answer] = []
        self._paths = paths
        self._http = httpx.AsyncClient(base_url=url, headers={"Cookie": cookies}, timeout=LONGEST_SECONDS)

    async def visit(self, first: int) -> None:
        """Ask for ever, beginning somewhere in the row of addresses."""
        place = first
        while True:
            self.answers.append(await self.ask(self._paths[place % len(self._paths)]))
            place += 1

    async def ask(self, path: str) -> Answer:
        """Ask for one address."""
        try:
            found = await self._http.get(path)
        except httpx.TransportError:
            return Answer(path, 0, httpx.Headers())
        return Answer(path, found.status_code, found.headers)

    async def look_around(self) -> list[Answer]:
        """Wait until every address was answered from now on, and return these answers."""
        begin = len(self.answers)

        async def seen() -> bool:
            asked = {answer.path for answer in self.answers[begin:]}
            return asked >= set(self._paths)

        await until(seen, "every address is answered")
        return self.answers[begin:]

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()


@asynccontextmanager
async def visiting(url: str, cookies: str, paths: tuple[str, ...], *, at_once: int = 8) -> AsyncIterator[Visitors]:
    """Keep a web process busy until the block ends."""
    visitors = Visitors(url, cookies, paths)
    tasks = [asyncio.create_task(visitors.visit(number)) for number in range(at_once)]
    try:
        yield visitors
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await visitors.close()
