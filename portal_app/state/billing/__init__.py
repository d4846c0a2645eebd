"""State of the pages of invoices and payment methods."""
