"""Known devices: a mark counts for one account and cannot be made by anybody else."""

from pathlib import Path

import pytest

from portal_app.infra import clock
from portal_app.infra.security.known_devices import KNOWN_SECONDS, KnownDevices
from portal_app.infra.security.tokens import RandomTokens

BEN, AIKO = b"ben", b"aiko"
DEVICES = KnownDevices(RandomTokens("secret"))
MARK = DEVICES.remember("", BEN)


def parts(**changes: str) -> str:
    return ".".join((dict(zip(("expires", "device", "proof"), MARK.split("."), strict=True)) | changes).values())


FORGERIES = [
    "",
    "~",
    "..",
    "x.y.z",
    parts(expires="9999999999"),
    parts(device="another"),
    parts(proof="0" * 64),
    parts(proof="\xe9"),
    parts(expires=""),
    MARK + ".",
    KnownDevices(RandomTokens("another secret")).remember("", BEN),
    DEVICES.remember("", AIKO),
]


# Marks are random: their numbers are the same in every process of a test run.
@pytest.mark.parametrize("cookie", FORGERIES, ids=range(len(FORGERIES)))
def test_a_forged_or_another_accounts_mark_makes_no_known_device(cookie: str) -> None:
    assert DEVICES.tries_key(cookie, BEN) is None


def test_a_household_shares_a_browser_and_each_account_keeps_its_tries() -> None:
    both = DEVICES.remember(MARK, AIKO)
    assert DEVICES.tries_key(both, BEN) == DEVICES.tries_key(MARK, BEN)
    assert DEVICES.tries_key(both, AIKO) not in (None, DEVICES.tries_key(both, BEN))
    again = DEVICES.remember(both, BEN)
    assert len(again) == len(both) and DEVICES.tries_key(again, BEN) == DEVICES.tries_key(MARK, BEN)
    assert DEVICES.tries_key(DEVICES.remember("", BEN), BEN) != DEVICES.tries_key(MARK, BEN)


def test_a_browser_remembers_the_last_four_accounts() -> None:
    cookie = MARK
    for number in range(4):
        cookie = DEVICES.remember(cookie, b"%d" % number)
    assert DEVICES.tries_key(cookie, BEN) is None
    assert all(DEVICES.tries_key(cookie, b"%d" % number) for number in range(4))
    assert len(cookie) < 400


def test_a_mark_ends(tmp_path: Path) -> None:
    (tmp_path / "offset").write_text(str(KNOWN_SECONDS + 60))
    clock.follow_offset(tmp_path / "offset")
    try:
        assert DEVICES.tries_key(MARK, BEN) is None
    finally:
        clock.follow_offset(None)
