"""SIM lines at the carrier."""
