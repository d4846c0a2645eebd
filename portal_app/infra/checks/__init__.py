"""Checks of a machine and its settings: what is wrong, and what an operator does about it."""
