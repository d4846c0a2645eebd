"""The carrier's file of calls and SMS, row by row."""

import io
from datetime import UTC, datetime

import pytest

from portal_app.domain.calls.call import Call, masked, parse_month
from portal_app.domain.calls.call_file import BadCallFile, BadCallRow, CallColumns, CallRow, call_rows
from portal_app.domain.errors import InvalidInput

LINE, NOW = "07012345678", datetime(2026, 11, 30, 12, tzinfo=UTC)
HEAD = "account,datetime,type,number,seconds,charge"
COLUMNS = CallColumns.parse(HEAD, "voice=call,通話=call,sms=sms")


def read(text: str | bytes, columns: CallColumns = COLUMNS) -> list[CallRow | BadCallRow]:
    return list(call_rows(io.BytesIO(text.encode() if isinstance(text, str) else text), columns, now=NOW))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f"{LINE},20261130210000,voice,090-0000-1234,61,33", Call(NOW, "call", "09000001234", 61, 33)),
        (f"{LINE},2026/11/30 21:00:00,VOICE,+81 90 0000 1234,61,", Call(NOW, "call", "+819000001234", 61, None)),
        ("070-1234-5678,2026-11-30T21:00,sms,＃１２３,,3", Call(NOW, "sms", "#123", 0, 3)),
        (f"{LINE},20261130210001,voice,110,1,0", "future"),
        ("090,20261130210000,voice,110,1,0", "number"),
        (f"{LINE},20261330210000,voice,110,1,0", "time"),
        (f"{LINE},yesterday,voice,110,1,0", "time"),
        (f"{LINE},0001-01-01 00:00:00,voice,110,1,0", "time"),
        (f"{LINE},20261130210000,fax,110,1,0", "kind"),
        (f"{LINE},20261130210000,voice,,1,0", "other"),
        (f"{LINE},20261130210000,voice,=cmd(),1,0", "other"),
        (f"{LINE},20261130210000,voice,110,-1,0", "seconds"),
        (f"{LINE},20261130210000,voice,110,999999999,0", "seconds"),
        (f"{LINE},20261130210000,voice,110,1,1.5", "charge"),
        (f"{LINE},20261130210000,voice", "columns"),
    ],
)
def test_a_row_is_read_or_named_by_what_is_wrong_with_it(row: str, expected: Call | str) -> None:
    (found,) = read(f"{HEAD}\r\n{row}\r\n")
    wanted = BadCallRow(2, expected) if isinstance(expected, str) else CallRow(LINE, expected)  # type: ignore[arg-type]
    assert found == wanted
    assert "0000" not in repr(found) and "5678" not in repr(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_columns_are_found_by_their_names_in_each_encoding(encoding: str) -> None:
    columns = CallColumns.parse("回線,日時,種別,相手先,秒", "通話=call,sms=sms")
    text = f"備考,秒,相手先,種別,日時,回線\r\n終了,60,03-0000-0001,通話,2026-11-01 00:00:01,{LINE}\r\n"
    (found,) = read(text.encode(encoding), columns)
    assert isinstance(found, CallRow) and found.call.month.isoformat() == "2026-11-01"
    assert (found.call.other, found.call.charge) == ("0300000001", None)


def test_a_row_that_is_no_csv_or_too_long_does_not_stop_the_rest() -> None:
    good = f"{LINE},20261130210000,voice,110,1,0"
    found = read("\r\n".join([HEAD, good, f'{LINE},"{"x" * 200_000}', good, "", good]))
    assert [isinstance(row, CallRow) for row in found].count(True) >= 2
    assert any(isinstance(row, BadCallRow) for row in found)


@pytest.mark.parametrize("content", [b"", b"account,datetime\n", b"\xff\xfe\x00\xd8", f"{LINE},1,2".encode()])
def test_a_file_of_another_kind_is_refused_whole(content: bytes) -> None:
    with pytest.raises(BadCallFile):
        read(content)


@pytest.mark.parametrize(("names", "kinds"), [("a,b", "x=call"), ("a,b,c,d,,f", "x=call"), (HEAD, "x=fax")])
def test_settings_that_name_no_file_are_refused(names: str, kinds: str) -> None:
    with pytest.raises(ValueError):
        CallColumns.parse(names, kinds)


def test_a_number_is_masked_and_a_short_one_hidden_whole() -> None:
    shown = {number: masked(number) for number in ("09012345678", "+819012345678", "0570012345", "110", "12345678")}
    assert list(shown.values()) == ["0901234****", "+81901234****", "057001****", "***", "********"]
    assert parse_month("") is None
    for text in ("2026-13", "2026-1", "２０２６-11", "1999-01"):
        with pytest.raises(InvalidInput):
            parse_month(text)
