"""Routes of invoices, payment methods, transactions and credit."""
