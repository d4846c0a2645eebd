"""Alerts that customers set for SIM lines, and data bought by themselves."""
