"""The CSV export shows the invoices and contains no formulas."""

import csv
import io
from dataclasses import replace

import pytest

from portal_app.api.billing.csv_export import as_csv, harmless
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
