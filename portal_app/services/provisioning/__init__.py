"""The steps that turn an order into working services."""
