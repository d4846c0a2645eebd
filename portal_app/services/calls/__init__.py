"""Calls and SMS of SIM lines: imported from the carrier, shown to their customer only."""
