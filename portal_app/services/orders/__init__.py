"""Placed orders and their timeline."""
