"""Limits on calls to vendors: rate, concurrency and the circuit breaker."""
