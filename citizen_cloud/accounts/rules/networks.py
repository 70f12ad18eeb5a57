"""Which network an address belongs to: what one household, office or attacker easily has."""

from ipaddress import IPv6Address, ip_address, ip_network

V4_PREFIX = 24
V6_PREFIX = 64


def network_of(address: str) -> str:
    """Return the /24 of an IPv4 address, the /64 of an IPv6 one; anything else stays as it is."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    prefix = V4_PREFIX if known.version == 4 else V6_PREFIX  # noqa: PLR2004 - IPv4
    return str(ip_network((known, prefix), strict=False))
