"""Pages of invoices and payment methods."""
