"""Speak to one vendor each, behind the ports of the domain."""
