"""Checks of Salesforce: login, API version, objects, price book, event topics, daily limits and clock."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from portal_app.domain.errors import ExternalRejected, NotFound, PortalError
from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.checks.database import clock_problem, seconds_ahead
from portal_app.infra.clock import host_seconds
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.reach import unreached
from portal_app.integrations.checks.salesforce_org import NEEDS, ObjectNeeds, object_problems
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.errors import SalesforceRejected
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.pubsub import SalesforceEventStream
from portal_app.integrations.throttling.vendor_call import Misconfigured

_AFTER_LOGIN, _AFTER_VERSION = ("salesforce.login",), ("salesforce.version",)
_AT_ONCE = 4
_PRICEBOOK = "SELECT Id, IsActive FROM Pricebook2 WHERE Id = {id}"
_ENTRIES = "SELECT COUNT(Id) entries FROM PricebookEntry WHERE Pricebook2Id = {id} AND IsActive = true"


class SalesforceChecks:
    """The checks of one org."""

    def __init__(
        self, settings: Settings, login: SalesforceLogin, client: SalesforceClient, http: httpx.AsyncClient
    ) -> None:
        self._settings = settings
        self._login = login
        self._client = client
        self._http = http
        self._stream = SalesforceEventStream(settings, login)

    def all(self) -> list[Check]:
        """Return the checks."""
        checks = [
            Check("salesforce.login", "Salesforce: login", self._log_in, seconds=30),
            Check("salesforce.version", "Salesforce: API version", self._version, seconds=30, after=_AFTER_LOGIN),
            Check("salesforce.clock", "Salesforce: clock", self._clock, seconds=30, after=_AFTER_LOGIN),
            Check(
                "salesforce.objects", "Salesforce: objects and fields", self._objects, seconds=60, after=_AFTER_VERSION
            ),
            Check("salesforce.pricebook", "Salesforce: price book", self._pricebook, seconds=30, after=_AFTER_VERSION),
            Check("salesforce.limits", "Salesforce: daily requests", self._limits, seconds=30, after=_AFTER_VERSION),
        ]
        if self._settings.sf_events_enabled:
            checks.append(
                Check("salesforce.topics", "Salesforce: events", self._topics, seconds=60, after=_AFTER_LOGIN)
            )
        return checks

    async def _log_in(self) -> str:
        try:
            session = await self._login.session()
        except Misconfigured as error:
            raise Unfit(login_problem(self._settings, str(error))) from error
        except PortalError as error:
            raise Unfit(_unreached(error)) from error
        return f"org {session.org_id}"

    async def _version(self) -> str:
        wanted = self._settings.sf_api_version
        answer = await self._root()
        try:
            served = [str(each["version"]) for each in json.loads(answer.content)]
        except (ValueError, TypeError, KeyError) as error:
            wrong = f"Salesforce does not list its API versions: HTTP {answer.status_code}."
            raise Unfit(Problem(wrong, "Look whether the org is well.", "SF_LOGIN_URL")) from error
        if wanted not in served:
            wrong = f"This org serves API versions {served[0]} to {served[-1]}, not {wanted}." if served else "None."
            raise Unfit(Problem(wrong, "Correct SF_API_VERSION, written as 62.0.", "SF_API_VERSION"))
        return wanted

    async def _clock(self) -> str:
        before = host_seconds()
        answer = await self._root()
        try:
            shown = parsedate_to_datetime(answer.headers["Date"]).replace(tzinfo=UTC).timestamp()
        except (KeyError, ValueError, TypeError):
            return "not seen"
        # The header has whole seconds.
        ahead = seconds_ahead(shown, before=before - 1, after=host_seconds())
        if problem := clock_problem(ahead, "Salesforce"):
            raise Unfit(problem)
        return f"{ahead:+.0f} s"

    async def _objects(self) -> str:
        if problems := await self.problems_of(NEEDS):
            raise Unfit(*problems)
        return f"{len(NEEDS)} objects"

    async def problems_of(self, needed: Mapping[str, ObjectNeeds]) -> list[Problem]:
        """Return what the org lacks of these objects."""
        gate = asyncio.Semaphore(_AT_ONCE)
        found = await asyncio.gather(*(self._object(name, needs, gate) for name, needs in needed.items()))
        return [problem for problems in found for problem in problems]

    async def _object(self, name: str, needs: ObjectNeeds, gate: asyncio.Semaphore) -> list[Problem]:
        try:
            async with gate:
                described = await self._client.describe(name)
        except (NotFound, SalesforceRejected):
            wrong = f"Salesforce shows the portal's user no object {name}."
            return [Problem(wrong, "Make it, and let the integration user's permission set read it.")]
        except PortalError as error:
            raise Unfit(_unreached(error)) from error
        return object_problems(name, needs, described)

    async def _pricebook(self) -> str:
        own = self._settings.portal_pricebook_id
        try:
            found = await self._client.query(_PRICEBOOK, id=own)
            entries = await self._client.query(_ENTRIES, id=own) if found else []
        except ExternalRejected:
            found, entries = [], []
        except PortalError as error:
            raise Unfit(_unreached(error)) from error
        if not found or not found[0].get("IsActive"):
            wrong = f"Salesforce has no {'active ' if found else ''}price book {own}: nothing can be sold."
            do = "Write the id of the portal's price book (01s...), active and readable by the integration user."
            raise Unfit(Problem(wrong, do, "PORTAL_PRICEBOOK_ID"))
        if not (number := int(entries[0]["entries"])):
            wrong = "The portal's price book has no active entry: the catalogue is empty."
            raise Unfit(Problem(wrong, "Add products with prices to it.", "PORTAL_PRICEBOOK_ID", is_warning=True))
        return f"{number} prices"

    async def _limits(self) -> str:
        try:
            daily = (await self._client.limits()).get("DailyApiRequests") or {}
            most, left = int(daily["Max"]), int(daily["Remaining"])
        except (KeyError, TypeError, ValueError):
            return "not seen"
        except PortalError as error:
            raise Unfit(_unreached(error)) from error
        if problem := limit_problem(self._settings, most=most, used=most - left):
            raise Unfit(problem)
        return f"{most - left} of {most} used today"

    async def _topics(self) -> str:
        own = self._settings
        topics = [own.sf_provision_event_channel, *own.sf_change_channels.split(",")]
        wanted = [topic for topic in map(str.strip, topics) if topic]
        found = await asyncio.gather(*(self._topic(topic) for topic in wanted))
        if problems := [problem for problem in found if problem]:
            # What keeps all of them away is one problem.
            raise Unfit(*dict.fromkeys(problems))
        return f"{len(wanted)} topics"

    async def _topic(self, topic: str) -> Problem | None:
        try:
            may = await self._stream.may_follow(topic)
        except ExternalRejected as error:
            setting = "SF_CHANGE_CHANNELS" if topic.startswith("/data/") else "SF_PROVISION_EVENT_CHANNEL"
            wrong = f"Salesforce has no topic {topic} for the portal's user ({str(error).rpartition(' ')[2]})."
            do = f"Switch it on (Change Data Capture, or the event), let the user read it, or correct {setting}."
            return Problem(wrong, do, setting)
        except PortalError as error:
            return unreached(
                "Salesforce's event bus", error, setting="SF_PUBSUB_ENDPOINT", ca_setting="SF_PUBSUB_CA_FILE"
            )
        if may:
            return None
        return Problem(f"The portal's user may not follow {topic}.", "Let its permission set read the event or object.")

    async def _root(self) -> httpx.Response:
        try:
            session = await self._login.session()
            return await self._http.get(f"{session.instance_url}/services/data/")
        except (PortalError, httpx.HTTPError) as error:
            raise Unfit(_unreached(error)) from error


def login_problem(settings: Settings, said: str) -> Problem:
    """Return what is wrong by the words with which Salesforce, or our own key, refused a login."""
    if "SF_PRIVATE_KEY_FILE" in said:
        reason = said.partition("login: ")[2].partition(" with ")[0]
        wrong = f"The key file {settings.sf_private_key_file or '(unset)'} cannot be used: {reason}."
        return Problem(wrong, "Name a PEM file with an RSA key that the portal's user may read.", "SF_PRIVATE_KEY_FILE")
    if "invalid_client" in said:
        wrong = "Salesforce does not know the consumer key."
        return Problem(wrong, "Correct SF_CLIENT_ID; a new app needs some minutes until it is known.", "SF_CLIENT_ID")
    if "audience" in said:
        wrong = "Salesforce refuses the audience of the login."
        do = "Set SF_AUDIENCE: https://login.salesforce.com, of a sandbox org https://test.salesforce.com."
        return Problem(wrong, do, "SF_AUDIENCE")
    if "approved" in said or "user" in said.lower():
        wrong = f"Salesforce does not let {settings.sf_username} log in by this app: {said.rpartition(': ')[2]}."
        do = "Correct SF_USERNAME (a sandbox's name has a suffix), or pre-authorise the user in the app's policies."
        return Problem(wrong, do, "SF_USERNAME")
    if "assertion" in said or "expired" in said:
        wrong = "Salesforce refuses the signature or time of the login."
        do = "Put the certificate of SF_PRIVATE_KEY_FILE into the app, and look at this host's clock."
        return Problem(wrong, do, "SF_PRIVATE_KEY_FILE")
    return Problem(f"Salesforce refuses the login: {said[:150]}.", "See the app and its policies.", "SF_CLIENT_ID")


def limit_problem(settings: Settings, *, most: int, used: int) -> Problem | None:
    """Return what is wrong with the org's requests of the day."""
    percent = used * 100 // most if most else 0
    if percent < settings.sf_background_percent:
        return None
    stops = "orders wait" if percent >= settings.sf_customer_percent else "background work waits"
    wrong = f"{used} of the org's {most} requests of the day are used ({percent} %): {stops}."
    do = "See in Setup which app uses them; they come back within 24 hours, or can be bought."
    return Problem(wrong, do, "SF_BACKGROUND_PERCENT", is_warning=percent < settings.sf_customer_percent)


def _unreached(error: Exception) -> Problem:
    return unreached("Salesforce", error, setting="SF_LOGIN_URL", ca_setting="SF_CA_FILE")
