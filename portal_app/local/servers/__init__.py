"""PostgreSQL and Valkey from wheels, started and stopped on one machine."""
