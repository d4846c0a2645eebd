"""What operators and the schedule run: refresh, cleanup, invariants, repair."""
