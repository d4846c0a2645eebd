"""The tables, each with its named queries."""
