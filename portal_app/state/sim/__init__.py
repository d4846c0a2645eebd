"""How SIM lines are shown."""
