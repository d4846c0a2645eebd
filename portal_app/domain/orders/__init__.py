"""Placed orders and the steps of their provisioning."""
