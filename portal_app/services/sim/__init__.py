"""SIM reservations and the status and termination of lines."""
