"""Freebit: the SIM network behind the port SimLines."""
