"""Inserts many invoices of one customer directly into the demo's mirror; creating them in WHMCS takes minutes."""

from uuid import UUID

import httpx
import psycopg

from benchmarks.demo import Demo

_FIRST_ID = 5_000_000
_COPIES = """
INSERT INTO invoices_mirror (user_id, invoice_id, label, status, issued_on, due_on, total_minor, owed_minor, body,
    is_full, changed_at, read_at, is_gone)
SELECT %(user)s, %(first)s + n, 'INV-' || n, status, issued_on - n, due_on, total_minor, owed_minor,
    body || jsonb_build_object('id', %(first)s + n, 'number', 'INV-' || n), is_full, changed_at,
    now() + interval '1 day', false
FROM (SELECT * FROM invoices_mirror WHERE status = 'paid' AND NOT is_gone ORDER BY invoice_id LIMIT 1) AS one,
    generate_series(1, %(count)s) AS n
ON CONFLICT DO NOTHING
"""
# In the future, so that the mirror stays fresh during a measurement and no read of WHMCS removes the rows.
_YOUNG = """
INSERT INTO mirror_states (user_id, kind, read_at) VALUES (%(user)s, 'invoices', now() + interval '1 day')
ON CONFLICT (user_id, kind) DO UPDATE SET read_at = excluded.read_at
"""


def give_invoices(demo: Demo, client: httpx.Client, count: int) -> UUID:
    """Add this many paid invoices for a signed-in customer, and return the user's id."""
    # The first read stores the invoice that the others are copied from.
    client.get("/api/invoices").raise_for_status()
    number = client.get("/api/me").raise_for_status().json()["customer_number"]
    with psycopg.connect(demo.database_url(), autocommit=True) as database:
        row = database.execute("SELECT user_id FROM id_mappings WHERE customer_number = %s", (number,)).fetchone()
        if row is None:
            raise SystemExit(f"{number} has no mapping")
        values = {"user": row[0], "first": _FIRST_ID * (1 + int(number[1:])), "count": count}
        database.execute(_COPIES, values)
        database.execute(_YOUNG, values)
    return UUID(str(row[0]))
