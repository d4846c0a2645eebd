"""Honest little vendors on loopback: WHMCS, Salesforce, a mail sink and the back office of those who work there."""
