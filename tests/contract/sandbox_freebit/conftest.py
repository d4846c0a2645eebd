"""A running sandbox and its Freebit API as a plain HTTP client sees it, following the wire alone."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support.running.world import running_sandbox
from tests.support.waiting import LONGEST_SECONDS

LIVING = "07039990099"
EID = "89049032000000000000000000000066"


class Freebit:
    """The API, with a key of its own. `office` is the back office's address."""

    def __init__(self, browser: httpx.AsyncClient, settings: dict[str, str]) -> None:
        self.browser = browser
        self.settings = settings
        self.url = settings["freebit_url"]
        self.office = self.url.removesuffix("/emptool/api") + "/office"
        self.key = ""

    async def post(self, operation: str, body: Any) -> httpx.Response:
        """Post one form with the field `json`."""
        return await self.browser.post(f"{self.url}/{operation}", data={"json": json.dumps(body)})

    async def log_in(self) -> None:
        """Get a key."""
        who = {"oemId": self.settings["freebit_client_id"], "oemKey": self.settings["freebit_client_secret"]}
        self.key = (await self.post("authOem/", who)).json()["authKey"]

    async def call(self, operation: str, **fields: Any) -> Any:
        """Post an operation with the key and return its parsed answer."""
        return (await self.post(operation, {"authKey": self.key, **fields})).json()

    async def codes(self, operation: str, **fields: Any) -> str:
        """Return the two codes of an answer as "family-detail"."""
        answer = await self.call(operation, **fields)
        return f"{answer['resultCode']}-{answer['status']['statusCode']}"

    async def line(self, account: str) -> Any:
        """Return what PA03-02 says of a line."""
        wanted = {"kind": "MVNO", "account": account}
        return (await self.call("master/getAcnt/", version="2", requestDatas=[wanted]))["responseDatas"][0]

    async def blank(self, kind: str = "physical") -> dict[str, str]:
        """Return a SIM that is still blank."""
        sims = (await self.browser.get(f"{self.office}/api/sim-lines")).json()["sims"]
        return next(sim for sim in sims if sim["kind"] == kind and sim["state"] == "blank")

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        (await self.browser.post(f"{self.office}/api/clock", json={"seconds": seconds})).raise_for_status()

    async def set_faults(self, **faults: Any) -> None:
        """Set the faults of the vendor."""
        (await self.browser.post(f"{self.office}/api/faults/freebit", json=faults)).raise_for_status()

    async def new_line(self, plan: str = "PASI_V10G") -> str:
        """Register a line on a blank SIM, wait until it is active and return its account."""
        sim = await self.blank()
        fields = {"account": sim["account"], "productNumber": sim["productNumber"], "planCode": plan}
        assert (await self.codes("master/addAcnt/", createType="new", **fields)) == "100-200"
        await self.advance(60)
        return sim["account"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "home") as settings:
        yield settings


@pytest_asyncio.fixture
async def freebit(settings: dict[str, str]) -> AsyncIterator[Freebit]:
    async with httpx.AsyncClient(trust_env=False, timeout=LONGEST_SECONDS) as browser:
        own = Freebit(browser, settings)
        await own.set_faults()
        await own.log_in()
        yield own
        await own.set_faults()
