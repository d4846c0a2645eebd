"""Reads of vendors: cached, saved and shared, and how fresh they must be."""
