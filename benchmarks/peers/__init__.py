"""Peers: small apps that the portal is compared with in the same run."""
