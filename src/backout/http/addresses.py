"""Which IP addresses a session may connect to (SSRF): decided on the address, never on the name.

A URL that a cluster, a registry or a cloned repository chose must not reach the machine's own
services or the cloud's metadata service. RFC 1918 stays allowed: clusters live there.
"""

from __future__ import annotations

import ipaddress

from msgspec import Struct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Answered by the cloud from inside every machine; most of them hand out credentials.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack, DigitalOcean
        "169.254.170.2",  # AWS ECS tasks
        "fd00:ec2::254",  # AWS, IPv6
        "fd00:ec2::23",  # AWS EKS Pod Identity
        "fd20:ce::254",  # Google, IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle, classic
    )
)
METADATA_NAMES = frozenset(
    {
        *("metadata", "metadata.google.internal", "metadata.goog"),
        *("instance-data", "instance-data.ec2.internal"),
        "metadata.tencentyun.com",
    }
)
"""Names that only a cloud's own DNS knows: a proxy that runs there may."""
_CARRIERS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a network's own (RFC 8215), its last 32 bits as most have it
        "::ffff:0:0:0/96",  # SIIT (RFC 2765)
    )
)
"""IPv6 networks whose addresses end in an IPv4 address."""
V4_COMPATIBLE = ipaddress.ip_network("::/96")
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


class AddressPolicy(Struct, frozen=True, kw_only=True):
    """Decides on a resolved address. Use `ANY_ADDRESS` or `NO_LOCAL`."""

    local: bool

    def objection(self, address: str) -> str | None:
        """Return why this literal IP address may not be connected to, or None if it may.

        Text that is not an IP address is objected to. A scope id (`fe80::1%eth0`) is understood.
        """
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return "not an IP address"
        return None if self.local else _local(_embedded(parsed))

    def objection_to_name(self, host: str) -> str | None:
        """Return why a name may not be asked for by a proxy, or None where it does not say so."""
        bare = host.lower().rstrip(".")
        if self.local:
            return None
        if bare == "localhost" or bare.endswith(".localhost"):
            return "a loopback name"
        return "a cloud metadata name" if bare in METADATA_NAMES else None


ANY_ADDRESS = AddressPolicy(local=True)
"""For what the user named: the API server of the kubeconfig."""

NO_LOCAL = AddressPolicy(local=False)
"""For what others named: no loopback, link-local, unspecified, multicast or metadata address."""


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address carries (Teredo, NAT64, ...), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo is not None:
        return address.teredo[1]
    is_short = address in V4_COMPATIBLE and int(address) > 1  # :: and ::1 are their own
    if is_short or any(address in one for one in _CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _local(address: Address) -> str | None:
    """Return what makes this address one of the machine's or the cloud's own, or None."""
    plain = ipaddress.ip_address(str(address).partition("%")[0])
    if plain in METADATA:
        return "a cloud metadata address"
    if plain.is_loopback:
        return "a loopback address"
    if plain.is_link_local:
        return "a link-local address"
    if plain.is_unspecified or (plain.version == THIS_NETWORK.version and plain in THIS_NETWORK):
        return "an unspecified address"
    if plain.is_multicast or plain == ipaddress.IPv4Address(0xFFFFFFFF):
        return "a multicast address"
    return None
