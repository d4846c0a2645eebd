"""SIM lines of services."""
