"""Invoices, payment methods, reminders and single sign-on to WHMCS."""
