"""From which address a request really comes, when there may be proxies in between."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN = "unknown"


class Proxies:
    """The proxies whose word is taken for who is behind them.

    Args:
        networks: addresses or networks, such as `10.0.0.0/8`.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(ip_network(network) for network in networks)

    def client(self, peer: str | None, forwarded_for: str | None) -> str:
        """The address that a request comes from.

        Walks `X-Forwarded-For` from the right, past our own proxies; what stands further to the left was
        written by the client and proves nothing.
        """
        hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
        address = _parsed(peer)
        while address is not None and self._trusted(address) and hops:
            further = _parsed(hops.pop())
            if further is None:
                break
            address = further
        return UNKNOWN if address is None else str(address)

    def _trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def _parsed(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def network_of(client: str) -> str:
    """What tries are counted by: the IPv4 address itself, or the /64 that one IPv6 household has."""
    address = _parsed(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return UNKNOWN if address is None else str(address)
