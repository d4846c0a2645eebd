"""The checks of a soak: what was true when, and which effects are missing or doubled."""

import math
import time

from benchmarks.soak.ledger import AT_ONCE_SECONDS, Key, Ledger
from benchmarks.soak.report import Report

BILL: Key = ("bill", 7, 1)


def test_what_is_shown_is_as_old_as_the_end_of_its_truth() -> None:
    ledger = Ledger()
    ledger.note(BILL, "unpaid")
    ledger.note(BILL, "paid")
    changed = time.time()
    assert ledger.age(BILL, {"paid"}.__contains__, changed + 60) == 0
    assert 59 < ledger.age(BILL, {"unpaid"}.__contains__, changed + 60) < 61
    assert ledger.age(BILL, {"refunded"}.__contains__, changed) == math.inf
    ledger.note(BILL, "unpaid")
    assert ledger.age(BILL, {"unpaid"}.__contains__, changed + 60) == 0


def test_a_hook_must_be_visible_after_it_was_applied() -> None:
    ledger = Ledger()
    ledger.hear("bill", 7, None, since=123.0)
    assert ledger.floor(BILL, time.time()) == -math.inf
    assert ledger.floor(BILL, time.time() + AT_ONCE_SECONDS + 1) == 123.0
    assert ledger.floor(("bill", 8, 1), time.time() + AT_ONCE_SECONDS + 1) == -math.inf


def test_a_report_is_clean_while_nothing_is_missing_or_there_twice() -> None:
    report = Report("Orders")
    report.count("mails", 1)
    assert report.is_clean()
    report.count("mails", 2, what="(VPN)")
    report.count("lines", 0)
    assert not report.is_clean()
    checks = {name: (check.expected, check.missing, check.too_many) for name, check in report.checks.items()}
    assert checks == {"mails": (2, 0, 1), "lines": (1, 1, 0)}
    assert "mails: 2 instead of 1 (VPN)" in report.text()
