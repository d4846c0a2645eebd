"""Changes of SIM lines that customers ask for."""
