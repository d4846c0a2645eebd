"""Calls and SMS of SIM lines over HTTP."""
