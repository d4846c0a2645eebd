"""Durable work of changes of SIM lines."""
