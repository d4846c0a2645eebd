"""What pages show of SIM lines."""
