"""Calls and SMS of SIM lines: what a record is, and the file that they come by."""
