"""Networks: what limits by address are counted for."""

import ipaddress
import re

UNKNOWN = "unknown"
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*)(?::\d+)?", re.ASCII)


def network_of(address: str) -> str:
    """Return the network that limits are counted for: an IPv4 address, the /64 of an IPv6 one, or "unknown".

    A household has a /64 to itself, and any of its 2^64 addresses is free to take. Ports, brackets and zones are left
    out; an IPv4 address written as IPv6 is the IPv4 address.
    """
    found = _WITH_PORT.fullmatch(address.strip())
    bare = (found[1] or found[2] or "") if found else address.strip()
    try:
        known = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or known
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(ipaddress.ip_network((known, 64), strict=False))
