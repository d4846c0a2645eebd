"""What `portal doctor` makes of what it saw: each fault gives its sentence, and what fits gives none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal_app.frontend_files import ROOT
from portal_app.infra.checks.check import Problem
from portal_app.infra.checks.database import clock_problem, role_problems, seconds_ahead, size_problem
from portal_app.infra.checks.public_address import certificate_problem
from portal_app.infra.checks.redis_server import memory_problem, version_problem
from portal_app.infra.checks.virus_scanner import age_problem
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.salesforce import login_problem
from portal_app.integrations.checks.salesforce_org import NEEDS, ObjectNeeds, object_problems
from portal_app.integrations.checks.whmcs import bridge_problem, capture_problem, refusal_of
from portal_app.integrations.checks.whmcs_role import ACTIONS
from tests.support.running.vendor_servers import documented_role

PLAIN = Settings(portal_env="development")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ROLE_FACTS = {
    "role": "portal_web", "sees_all": False, "is_standby": False, "is_read_only": False, "number": 170011,
    "version": "17.11", "encoding": "UTF8", "has_tls": True, "reads_users": False,
}  # fmt: skip
ORDER = {"fields": [{"name": "Status", "createable": True, "picklistValues": [{"value": "Draft"}]}], "createable": True}


def judged(found: Problem | list[Problem] | None) -> str:
    several = found if isinstance(found, list) else [found]
    return " ".join(f"{each.wrong} {each.do}" for each in several if each)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (role_problems("web", ROLE_FACTS, is_private=False), ""),
        (role_problems("web", {**ROLE_FACTS, "number": 140005, "version": "14.5"}, is_private=True), "15 or later"),
        (role_problems("web", {**ROLE_FACTS, "is_standby": True}, is_private=True), "takes no writes"),
        (role_problems("web", {**ROLE_FACTS, "encoding": "SQL_ASCII"}, is_private=True), "ENCODING 'UTF8'"),
        (role_problems("web", {**ROLE_FACTS, "has_tls": False}, is_private=False), "sslmode=verify-full"),
        (clock_problem(2.0, "PostgreSQL"), ""),
        (clock_problem(90.0, "PostgreSQL"), "90 s ahead of PostgreSQL's"),
        (clock_problem(-90.0, "Salesforce"), "90 s behind Salesforce's"),
        (size_problem(PLAIN, "all", most=1000, used=3), ""),
        (version_problem("7.2.4"), ""),
        (version_problem("6.2.14"), "7.0 or later"),
        (memory_problem("volatile-lru", used=1, most=100), ""),
        (memory_problem("noeviction", used=1, most=100), "refuses every write"),
        (memory_problem("allkeys-lru", used=1, most=100), "customers see old data"),
        (memory_problem("noeviction", used=1, most=0), "no memory limit"),
        (memory_problem("volatile-lru", used=95, most=100), "95 %"),
        (certificate_problem({"notAfter": "Dec  9 00:00:00 2026 GMT"}, NOW), "ends in 8 days"),
        (certificate_problem({"notAfter": "Feb  9 00:00:00 2027 GMT"}, NOW), ""),
        (age_problem("ClamAV 1.0.7/27500/Mon Nov  2 08:26:31 2026", NOW), "of 2026-11-02"),
        (age_problem("ClamAV 1.0.7/27500/Mon Nov 30 08:26:31 2026", NOW), ""),
        (bridge_problem(PLAIN, NOW - timedelta(days=9), NOW), "on 2026-11-22"),
        (bridge_problem(PLAIN, NOW, NOW), ""),
        (refusal_of("GetCurrencies: HTTP 403, Administrator Account Disabled"), "API Access"),
        (login_problem(PLAIN, "login: invalid_grant: invalid assertion"), "into the app"),
        (object_problems("Order", ObjectNeeds(reads="Id", writes="Status"), ORDER), "no Order.Id."),
        (object_problems("Order", ObjectNeeds(writes="Status", values={"Status": ("Gone",)}), ORDER), "not offer Gone"),
        (object_problems("Order", ObjectNeeds(key="Status"), ORDER), "no unique external id"),
        (
            object_problems("Order", ObjectNeeds(writes="Status"), {"fields": [{"name": "Status"}]}),
            "does not let the portal's user write Order.Status",
        ),
        (object_problems("Order", ObjectNeeds(creates=True), {"createable": False}), "user create Order"),
        (
            object_problems(
                "Order",
                ObjectNeeds(creates=True),
                {"createable": True, "recordTypeInfos": [{"defaultRecordTypeMapping": True, "available": False}]},
            ),
            "default record type of Order",
        ),
    ],
)  # fmt: skip
def test_what_was_seen_is_judged_in_plain_words(found: Any, words: str) -> None:
    assert words in judged(found) and bool(words) == bool(judged(found))


def test_a_clock_that_was_read_while_we_waited_agrees() -> None:
    assert [seconds_ahead(shown, before=100.0, after=110.0) for shown in (90.0, 105.0, 130.0)] == [10.0, 0.0, -20.0]


def invoice(number: int, tried: str) -> dict[str, str]:
    return {"id": str(number), "duedate": "2026-11-20", "last_capture_attempt": tried}


def test_repeated_charges_of_overdue_invoices_are_seen_where_several_show_them() -> None:
    once, again = "2026-11-19 03:00:00", "2026-11-29 03:00:00"
    assert capture_problem([invoice(1, once), invoice(2, "0000-00-00 00:00:00"), invoice(3, again)]) is None
    assert "Attempt Only Once" in judged(capture_problem([invoice(1, again), invoice(2, again)]))


def test_the_role_is_asked_for_just_the_actions_of_the_guide() -> None:
    assert set(ACTIONS) == set(documented_role().replace(",", " ").split())


def test_every_field_of_the_portals_that_the_code_names_is_looked_for() -> None:
    code = "".join(file.read_text() for file in (ROOT / "portal_app/integrations/salesforce").glob("*.py"))
    wanted = {
        word for word in code.replace('"', " ").replace(".", " ").replace(",", " ").split() if word.endswith("__c")
    }
    known = {name for needs in NEEDS.values() for name in needs.names} | set(NEEDS)
    assert wanted and {name for name in wanted if name.isidentifier()} - known == set()
