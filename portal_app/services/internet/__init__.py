"""Address checks, and the rule of one internet line per customer."""
