"""Logs: nothing secret at any depth, always the correlation id."""

import json
import subprocess
import sys

import pytest

from portal_app.infra.logs import redact

SECRET = "do-not-show-this"


@pytest.mark.parametrize(
    "content",
    [
        {"password": SECRET},
        {"Email": SECRET},
        {"headers": {"Set-Cookie": SECRET, "Authorization": SECRET}},
        {"calls": [{"params": {"remote-token": SECRET}}]},
        {"pairs": ({"code": SECRET}, [{"iccid": SECRET}])},
        {"whmcs_api_secret": SECRET, "new_password": SECRET, "access-token": SECRET},
        {"rows": {7: {"phone": SECRET}}},
        {"json": {"authKey": SECRET, "oemKey": SECRET, "eid": SECRET, "oldEid": SECRET, "imsi": SECRET}},
        {"line": {"msisdn": SECRET, "activation_code": SECRET, "productNumber": SECRET, "reserveNumber": SECRET}},
    ],
)
def test_a_secret_is_redacted_at_any_depth(content: dict[str, object]) -> None:
    line = redact(None, "info", {"event": "e", **content})
    assert SECRET not in repr(line)
    assert "[redacted]" in repr(line)
    assert line["event"] == "e"


def test_other_values_stay_as_they_are() -> None:
    line = {"event": "e", "order": "o1", "sizes": [1, 2], "nested": {"step": "bill", "n": None}}
    assert redact(None, "info", dict(line)) == line


PROGRAM = """
import logging, structlog
from asgi_correlation_id import correlation_id
from portal_app.infra.logs import set_up_logs
set_up_logs(process="web", log_format="{form}", level="INFO")
correlation_id.set("abc-123")
def sign_in(password):
    raise ValueError("boom")
for log in (structlog.get_logger("ours"), logging.getLogger("library")):
    log.info("hello")
    log.debug("not shown")
    try:
        sign_in("do-not-show-this")
    except ValueError:
        log.exception("broke")
logging.getLogger("httpx").info("noisy")
"""


FULL = """
import sys, structlog
from portal_app.infra.logs import set_up_logs
sys.stderr = open("/dev/full", "w")
set_up_logs(process="web", log_format="json", level="INFO")
structlog.get_logger("ours").info("hello")
print("it went on")
"""


def test_a_line_that_nobody_can_take_loses_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=False)
    assert "it went on" in done.stdout


@pytest.fixture(params=["json", "text"])
def lines(request: pytest.FixtureRequest) -> list[str]:
    program = PROGRAM.replace("{form}", request.param)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr.split(
        "\n"
    )


def test_a_traceback_is_logged_without_the_values_of_variables(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert text.count("boom") == 2
    # The line of source is shown by the text form; what a variable held is not.
    assert text.count(SECRET) == text.count('sign_in("do-not-show-this")')
    assert "password = " not in text
    assert '"locals"' not in text


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_every_line_is_json_with_process_level_time_and_correlation_id(lines: list[str]) -> None:
    read = [json.loads(line) for line in lines if line]
    assert [line["event"] for line in read] == ["hello", "broke", "hello", "broke"]
    for line in read:
        assert line["correlation_id"] == "abc-123"
        assert line["process"] == "web"
        assert {"level", "timestamp"} <= set(line)
