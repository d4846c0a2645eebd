"""How a process begins: it reads its settings, or says in one line each what must change, and exits with 78."""

import os
import sys
from typing import Any, Literal, NoReturn

import structlog
from pydantic import ValidationError

from portal_app.infra.log.logs import log_failure, set_up_logs
from portal_app.infra.production import Finding
from portal_app.infra.settings import RefusedInProduction, Settings

# EX_CONFIG of sysexits.h. Supervisors leave a process alone that ended so: a restart does not help.
EX_CONFIG = 78
_log = structlog.get_logger(__name__)


def read_settings(process: Literal["web", "worker", "listener"]) -> Settings:
    """Return the settings of a long-running process and set up its log. Exits with 78 if they are refused."""
    try:
        settings = Settings()
    except ValidationError as error:
        log_format: Any = os.environ.get("PORTAL_LOG_FORMAT", "")
        set_up_logs(process=process, log_format="text" if log_format == "text" else "json", level="INFO")
        refuse_to_start(*refusals(error))
    set_up_logs(process=process, log_format=settings.portal_log_format, level=settings.portal_log_level)
    sys.excepthook = log_failure
    return settings


def read_settings_of_command() -> Settings:
    """Return the settings of a command at a terminal. Exits with 78 and plain lines if they are refused."""
    try:
        return Settings()
    except ValidationError as error:
        sys.stderr.write("".join(f"{each}\n" for each in refusals(error)))
        sys.exit(EX_CONFIG)


def refuse_to_start(*found: Finding) -> NoReturn:
    """Log one line for each setting that must change, and exit with 78."""
    for each in found:
        _log.critical("start.refused", setting=each.setting, must=each.must)
    sys.exit(EX_CONFIG)


def refusals(error: ValidationError, **given: Any) -> list[Finding]:
    """Return every setting that is refused with its reason, never with its value. `given` goes before the environment.

    Of one that is no setting at all, such as a number that is a word, production's rules see the default instead.
    """
    fields = {str(each["loc"][0]): _reason(each["msg"]) for each in error.errors() if each["loc"]}
    found = [Finding(name.upper(), reason) for name, reason in fields.items()]
    if fields:
        # pydantic asks the rules of production only if every field is valid.
        defaults: dict[str, Any] = {name: Settings.model_fields[name].default for name in fields}
        try:
            Settings(**{**given, **defaults})
            return found
        except ValidationError as other:
            error = other
    named = {each.setting for each in found}
    return found + [each for each in _of_production(error) if each.setting not in named]


def _of_production(error: ValidationError) -> list[Finding]:
    causes = (each.get("ctx", {}).get("error") for each in error.errors())
    return [each for cause in causes if isinstance(cause, RefusedInProduction) for each in cause.found]


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
