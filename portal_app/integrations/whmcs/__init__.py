"""WHMCS: billing, services, the authoritative address."""
