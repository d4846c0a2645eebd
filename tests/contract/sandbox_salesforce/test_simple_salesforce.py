"""The library most Python programs use for Salesforce, against the sandbox."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceExpiredSession, SalesforceMalformedRequest, format_external_id
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMoreThanOneRecord

from tests.contract.sandbox_salesforce.running import Org


class ToSandbox(HTTPAdapter):
    """Send whatever is meant for Salesforce to the sandbox, and nothing anywhere else."""

    def __init__(self, base_url: str) -> None:
        self._base = urlsplit(base_url)
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        url = urlsplit(str(request.url))
        if not url.netloc.endswith("salesforce.com") and url.netloc != self._base.netloc:
            raise AssertionError(url.netloc)
        request.url = urlunsplit((self._base.scheme, self._base.netloc, url.path, url.query, url.fragment))
        return super().send(request, **options)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Return an HTTP session that is closed in the end, as an open TLS connection holds up the server's stop."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def direct(org: Org, token: str, session: requests.Session) -> Salesforce:
    session.verify = str(org.keys.ca_file)
    return Salesforce(session_id=token, instance_url=org.https_url, session=session, version="62.0")


async def in_thread(call: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(call)


async def test_direct_mode_works_over_tls(org: Org, session: requests.Session) -> None:
    sf = direct(org, await org.token(), session)

    def work() -> None:
        key = format_external_id("SF_Account_No__c", "C/1 ü+")
        assert sf.Account.upsert(key, {"Name": "Sato"}) == 201
        assert sf.Account.upsert(key, {"Name": "O'Brien"}) == 200
        (row,) = sf.query("SELECT Id, Name FROM Account WHERE Name = 'O\\'Brien'")["records"]
        account = sf.Account.get(row["Id"])
        assert account["SF_Account_No__c"] == "C/1 ü+"
        assert sf.Account.update(row["Id"], {"Phone": "1"}) == 204
        created = sf.Contact.create({"LastName": "Sato", "AccountId": row["Id"]})
        assert created["success"] is True
        assert sf.Contact.delete(created["id"]) == 204
        assert sf.Order.describe()["name"] == "Order"
        assert "Order" in {each["name"] for each in sf.describe()["sobjects"]}
        assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
        assert sf.api_usage["api-usage"].total == 100_000
        assert len(list(sf.query_all_iter("SELECT Id FROM Account"))) == 1
        assert sf.query_all("SELECT Id FROM Contact", include_deleted=True)["totalSize"] == 1

    await in_thread(work)


async def test_errors_become_the_librarys_exceptions(org: Org, session: requests.Session) -> None:
    sf = direct(org, await org.token(), session)
    stale = direct(org, "nonsense", session)

    def work() -> None:
        with pytest.raises(SalesforceMalformedRequest) as refused:
            sf.Contact.create({"FirstName": "x"})
        assert refused.value.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        for _ in range(2):
            sf.Case.create({"Portal_Threading_Id__c": "R1"})
        with pytest.raises(SalesforceMoreThanOneRecord):
            sf.Case.get_by_custom_id("Portal_Threading_Id__c", "R1")
        with pytest.raises(SalesforceExpiredSession):
            stale.query("SELECT Id FROM Account")

    await in_thread(work)


async def test_the_librarys_own_jwt_login_works(org: Org, session: requests.Session) -> None:
    session.mount("https://", ToSandbox(org.http_url))
    common = {"consumer_key": org.settings.sf_client_id, "privatekey": org.keys.client_key_pem.decode()}

    def work() -> None:
        sf = Salesforce(username=org.settings.sf_username, session=session, version="62.0", **common)
        assert sf.query("SELECT Id FROM Account")["totalSize"] == 0
        with pytest.raises(SalesforceAuthenticationFailed), pytest.warns(UserWarning, match="approved"):
            Salesforce(username="stranger@example.com", session=session, **common)

    await in_thread(work)
