"""Which addresses a server may be made to call: the public ones, and those that the operator names.

A table of our own: `ipaddress.is_global` of Python 3.11 calls multicast, 6to4 and NAT64 forms of
loopback and of the metadata service, and several reserved blocks, global (measured).
Source: the special-purpose registries of IANA for IPv4 and IPv6.
"""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DENIED_4 = [
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, the metadata services of clouds among it
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast among it
    )
]
_PUBLIC_6 = IPv6Network(
    "2000::/3"
)  # all that is assigned for the public; loopback etc. lie outside
_DENIED_6 = [
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: hides an IPv4 address
        "3fff::/20",  # documentation
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(named: Iterable[str]) -> list[Network]:
    """The networks of a setting such as `10.20.0.0/16`. Raises ValueError for anything else."""
    return [ip_network(name.strip()) for name in named]


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped or translated IPv6 address; any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def is_allowed(text: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether this literal address may be called: it is public, or in one of the networks."""
    try:
        address = unwrapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if any(address in network for network in allowed):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_4)
    return address in _PUBLIC_6 and not any(address in network for network in _DENIED_6)
