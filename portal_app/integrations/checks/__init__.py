"""Checks of the vendors: whether the portal's settings and what is set up at each vendor fit."""
