"""The CSV export shows the invoices and contains no formulas."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal_app.api.billing.csv_export import as_csv, harmless
from portal_app.language import Language, speaking
from tests.support.vendors.late_bills import bill


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", '=HYPERLINK("http://evil","x")']
)
def test_text_that_starts_a_formula_is_escaped(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_invoices_are_written_with_quotes_and_lines_intact() -> None:
    rows = [replace(bill(1, total=2750), number='=cmd|"x",\n1'), replace(bill(1, total=-5), number="2026-1")]
    text = as_csv(rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in read] == ["Invoice", '\'=cmd|"x",\n1', "2026-1"]
    assert [row[8] for row in read[1:]] == ["2750", "-5"]


@pytest.mark.parametrize(("language", "heading"), [("en", "Paid at"), ("ja", "お支払い日時")])
def test_times_are_japans_and_headings_are_in_the_language_of_the_page(language: Language, heading: str) -> None:
    # The 1st of November at 08:30 in Japan is still October in UTC.
    paid = replace(bill(1), paid_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    with speaking(language):
        read = list(csv.reader(io.StringIO(as_csv([paid]).decode("utf-8-sig"), newline="")))
    assert (read[0][4], read[1][4]) == (heading, "2026-11-01T08:30:00+09:00")
    assert len(read[0]) == 10 and all(cell.isascii() is (language == "en") for cell in read[0])
