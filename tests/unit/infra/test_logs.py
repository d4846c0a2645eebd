"""Logs: nothing secret at any depth, always the correlation id."""

import json
import logging
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest

from portal_app.infra.log.foreign_logs import LibraryFilter
from portal_app.infra.log.redaction import LONGEST_LINE, bounded, redact, redact_text
from portal_app.infra.log.tracebacks import reason_of

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
from portal_app.infra.log.logs import set_up_logs
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
from portal_app.infra.log.logs import set_up_logs
sys.stderr = open("/dev/full", "w")
set_up_logs(process="web", log_format="json", level="INFO")
structlog.get_logger("ours").info("hello")
print("it went on")
"""


def test_an_unloggable_line_loses_no_other_line() -> None:
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
    assert [line["event"] for line in read] == ["hello", "broke", "library.message", "library.message"]
    for line in read:
        assert line["correlation_id"] == "abc-123"
        assert line["process"] == "web"
        assert {"level", "timestamp"} <= set(line)


FAILED = """
from portal_app.infra.start import read_settings
read_settings("worker")
raise RuntimeError("boom")
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_that_ends_the_process_is_a_line_with_its_traceback(form: str) -> None:
    variables = {**os.environ, "PORTAL_ENV": "development", "PORTAL_LOG_FORMAT": form}
    done = subprocess.run([sys.executable, "-c", FAILED], env=variables, capture_output=True, text=True)
    assert done.returncode == 1 and "process.failed" in done.stderr and "boom" in done.stderr
    if form == "json":
        (line,) = map(json.loads, done.stderr.splitlines())
        assert line["level"] == "critical" and line["pid"] and line["version"]
        assert line["exception"][0]["exc_type"] == "RuntimeError"


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"cookie: portal-access-3000={JWT}; a=1", JWT),
        ("{'cookie': '__Host-portal-refresh=Zr9_x-y; b'}", "Zr9_x-y"),
        ("Set-Cookie: portal-refresh-443=Zr9_x; Path=/", "Zr9_x"),
        (f"Authorization: Bearer {JWT}", JWT),
        ("Authorization: Basic YWlrbzpzZWNyZXQ=", "YWlrbzpzZWNyZXQ"),
        ("GET /x?password=hunter2&b=1", "hunter2"),
        ("{'new_password': 'hunter2', 'b': 1}", "hunter2"),
        (r"{\"remote_token\": \"tok_1\", \"b\": 1}", "tok_1"),
        ("authKey=AbC123 refused", "AbC123"),
        ("no account for aiko.sato+new@mail.example.jp", "aiko.sato"),
        ("postgresql://portal:hunter2@db/portal", "hunter2"),
        ("called 090-1234-5678 twice", "1234"),
        ("called 09012345678", "09012345678"),
        ("called +81 90 1234 5678", "1234 5678"),
        ("called +819012345678", "819012345678"),
        ("line 8981100022310000001 is away", "8981100022310000001"),
        ("eid 89049032000001000000001234567890", "89049032000001000000001234567890"),
        ("card 4242 4242 4242 4242 declined", "4242"),
        ("card 4242424242424242", "4242424242424242"),
    ],
)
def test_what_looks_like_a_secret_is_redacted_in_any_text(text: str, secret: str) -> None:
    assert secret not in redact_text(text)
    assert "[redacted]" in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"event": "request", "method": "GET", "route": "/api/orders/{order_id}", "status": 200, "ms": 0.0123456789}',
        '{"timestamp": "2026-11-30T09:01:22.012345Z", "order": "0b9fbf5a-0120-4456-8890-012345678901"}',
        '{"sf_order": "8015g00000AbCdEAAV", "customer": "C10000003", "ms": 1764507758000, "us": 1764507758000000}',
        '{"tokens_left": 5, "password_set": true, "token": "[redacted]"}',
        '{"replay_id": "000000000000012345678", "port": 3000, "invoice": 20411}',
        "2026-11-30 09:01:22 listener.ready after 0.5 s",
    ],
)
def test_ids_times_and_numbers_of_records_stay_readable(text: str) -> None:
    assert redact_text(text) == text


def test_a_uuid_is_never_taken_for_a_number() -> None:
    texts = [f'{{"order": "{uuid.UUID(int=seed * 2**64 + 10**17 * seed)}"}}' for seed in range(2000)]
    assert [redact_text(text) for text in texts] == texts


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["y" * 100] * 10_000, {str(key): "z" * 50 for key in range(9_999)}])
def test_a_line_has_a_bound_and_stays_json(value: Any) -> None:
    render = bounded(lambda _, __, line: json.dumps(line))
    text = render(None, "info", {"event": "e", "deep": {"value": value}, "value": value, "exception": [value] * 3})
    assert len(text) <= LONGEST_LINE
    assert json.loads(text)["event"] == "e" and json.loads(text)["cut"] is True


def test_repeated_library_lines_are_limited_per_place() -> None:
    limit = LibraryFilter()

    def passed(line: int) -> int:
        records = [logging.LogRecord("pypdf", logging.WARNING, "reader.py", line, "x", None, None) for _ in range(1000)]
        return sum(map(limit.filter, records))

    assert passed(1) == passed(2) < 50


@pytest.mark.parametrize(
    ("raised_in", "shown"),
    [
        ("/x/site-packages/reflex/app.py", ""),
        ("/x/site-packages/pydantic/main.py", ""),
        ("/x/site-packages/psycopg/connection.py", "why it broke"),
        ("/app/portal_app/services/orders.py", "why it broke"),
        ("/usr/lib/python3.11/asyncio/tasks.py", "why it broke"),
    ],
)
def test_an_exception_of_an_unlisted_library_shows_no_text(raised_in: str, shown: str) -> None:
    assert reason_of(raised_in, "why it broke\nDETAIL: Key (email)=(a@b.c)") == shown


LIBRARY = """
import logging
from portal_app.infra.log.logs import set_up_logs
set_up_logs(process="web", log_format="{form}", level="INFO")
log = logging.getLogger("reflex.app")
event = {{"cookie": "do-not-show-this", "payload": {{"last_name": "do-not-show-this"}}}}
log.warning(f"Received event data as a string. Event data: {{event}}")
log.warning("No handler for %s", event)
try:
    raise KeyError("reason of ours")
except KeyError:
    log.exception(f"Error processing event queue entry for {{event}}")
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_library_line_shows_its_place_and_constant_text_but_no_values(form: str) -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARY.format(form=form)], capture_output=True, text=True, check=True)
    assert SECRET not in done.stderr
    assert done.stderr.count("library.message") == 3
    assert done.stderr.count("No handler for %s") == 1 and "reason of ours" in done.stderr


SERVER = """
import json, logging.config
from portal_app.infra.log.logs import LOGGING_FILE
logging.config.dictConfig(json.loads(LOGGING_FILE.read_text()))
logging.getLogger("_granian").error("Address %s in use", "127.0.0.1:3000")
"""


def test_lines_of_the_web_server_have_the_form_of_the_portals_lines() -> None:
    done = subprocess.run([sys.executable, "-c", SERVER], capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)
    assert (line["event"], line["process"], line["level"]) == ("Address 127.0.0.1:3000 in use", "web", "error")
