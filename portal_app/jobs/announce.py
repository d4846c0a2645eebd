"""`portal announce`: what customers read on the status page, above a new question and on their dashboards."""

import asyncio
import json
import sys
from datetime import datetime

from portal_app.domain.errors import InvalidInput, PortalError
from portal_app.domain.identifiers import our_id
from portal_app.domain.status.announcement import Announcement, NewAnnouncement, Words, parse_words
from portal_app.infra.clock import now
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.language import LANGUAGES
from portal_app.language.format import JAPAN
from portal_app.wiring.portal import build, set_portal

_ROW = "{:<36}  {:<11}  {:<8}  {:<16}  {:<24}  {}"
Given = dict[str, str]


async def run(settings: Settings, action: str, given: Given, *, is_sure: bool) -> int:
    """Do one action and return the exit code; without being sure only show what it would do."""
    portal = set_portal(build(settings, role="worker"))
    publishing = portal.status.publishing
    try:
        if action == "list":
            _list(await publishing.listed())
        elif action == "begin":
            new = _new(given)
            _show(new)
            if is_sure:
                _say(f"Announced: {await publishing.publish(new)}")
        elif action == "update":
            known, until, words = our_id(given["id"]), _moment(given["until"]), _words(given)
            if is_sure:
                await publishing.update(known, words, until=until)
        else:
            known, last = our_id(given["id"]), {} if not given["en"] and not given["ja"] else _words(given)
            if is_sure:
                _say(f"Over. Customers who are told by mail: {await publishing.end(known, last)}")
        if action != "list" and not is_sure:
            _say("Nothing was done. Add --yes to do it.")
    except InvalidInput as error:
        _say("\n".join(f"{name}: {words}" for name, words in error.fields.items()))
        return 1
    except PortalError as error:
        _say(f"Not possible: {error}")
        return 1
    finally:
        await portal.close()
    return 0


def _new(given: Given) -> NewAnnouncement:
    return NewAnnouncement.parse(
        kind=given["kind"],
        words={language: Words(given[f"title_{language}"], given[language]) for language in LANGUAGES},
        services=given["services"],
        areas=given["areas"],
        begins_at=_moment(given["begins"]) or now(),
        until=_moment(given["until"]),
    )


def _words(given: Given) -> dict[str, str]:
    return parse_words({language: given[language] for language in LANGUAGES})


def _moment(text: str) -> datetime | None:
    """Return a time such as 2026-12-01T22:00, in Japan unless it names a zone; None for none. Raises InvalidInput."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput({"time": f"write it as 2026-12-01T22:00, not as {text}"}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)


def _show(new: NewAnnouncement) -> None:
    _say(f"{new.kind}, services: {', '.join(new.services) or 'all'}, areas: {', '.join(new.areas) or 'all of Japan'}")
    _say(f"from {_written(new.begins_at)} until {_written(new.until) if new.until else 'its end is announced'}")
    for language, words in new.words.items():
        _say(f"[{language}] {words.title}\n{words.text}")


def _list(found: list[Announcement]) -> None:
    if not found:
        _say("Nothing is announced.")
        return
    at = now()
    _say(_ROW.format("ANNOUNCEMENT", "KIND", "STAGE", "BEGIN (JAPAN)", "SERVICES", "TITLE"))
    for each in found:
        services = ", ".join(each.services) or "all"
        title = each.words["en"].title
        _say(_ROW.format(str(each.id), each.kind, each.stage(at), _written(each.begins_at), services, title))


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(JAPAN):%Y-%m-%d %H:%M}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    settings = read_settings_of_command()
    set_up_logs(process="announce", log_format=settings.portal_log_format, level="ERROR")
    sys.exit(asyncio.run(run(settings, sys.argv[1], json.loads(sys.argv[2]), is_sure="--yes" in sys.argv[3:])))
