"""Carry out changes of SIM lines that customers ask for."""
