"""Which addresses are on the public internet, and which others an operator has let in."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "means this machine itself"),
    ("::/128", "means this machine itself"),
    ("169.254.0.0/16", "is link-local, where clouds keep their metadata"),
    ("fe80::/10", "is link-local"),
    ("fd00:ec2::/32", "is where a cloud keeps its metadata"),
    ("fd20:ce::254/128", "is where a cloud keeps its metadata"),
    ("100.100.100.200/32", "is where a cloud keeps its metadata"),
    ("168.63.129.16/32", "is where a cloud keeps its metadata"),
    ("192.0.0.192/32", "is where a cloud keeps its metadata"),
    ("224.0.0.0/4", "is multicast"),
    ("ff00::/8", "is multicast"),
    ("240.0.0.0/4", "is reserved"),
)
"""Nobody's server is there: no list lets these in."""

_UNLESS_ALLOWED: tuple[tuple[str, str], ...] = (
    ("127.0.0.0/8", "is this machine itself"),
    ("::1/128", "is this machine itself"),
    ("10.0.0.0/8", "is private"),
    ("172.16.0.0/12", "is private"),
    ("192.168.0.0/16", "is private"),
    ("fc00::/7", "is private"),
    ("100.64.0.0/10", "belongs to a carrier's inner network"),
    ("192.0.2.0/24", "is for documentation"),
    ("198.51.100.0/24", "is for documentation"),
    ("203.0.113.0/24", "is for documentation"),
    ("2001:db8::/32", "is for documentation"),
    ("3fff::/20", "is for documentation"),
    ("198.18.0.0/15", "is for measuring networks"),
    ("192.0.0.0/24", "is reserved"),
    ("192.88.99.0/24", "is reserved"),
    ("2001::/23", "is reserved"),  # Teredo, which hides an IPv4 address, among them
    ("2002::/16", "hides an IPv4 address (6to4)"),
)

_PUBLIC_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_WIDE_BITS = {4: 8, 6: 7}


def _table(rows: Iterable[tuple[str, str]]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(cidr), reason) for cidr, reason in rows)


_NEVER_TABLE, _PRIVATE_TABLE = _table(_NEVER), _table(_UNLESS_ALLOWED)


class AllowList:
    """What an operator lets in beside the public internet: networks, addresses, and hosts by their names."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._networks: list[Network] = []
        self._hosts: set[str] = set()
        for entry in entries:
            self._add(entry.strip().lower())

    def __bool__(self) -> bool:
        return bool(self._networks or self._hosts)

    @property
    def widest(self) -> list[Network]:
        """Its networks that are greater than any private one, so that most of each is not meant."""
        return [each for each in self._networks if each.prefixlen < _WIDE_BITS[each.version]]

    def has_host(self, host: str) -> bool:
        """Whether the host is let in by name, wherever it is."""
        return host.lower() in self._hosts

    def has(self, address: Address) -> bool:
        """Whether the address is let in, however it is written."""
        plain = unwrapped(address)
        return any(plain in network for network in self._networks)

    def _add(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry))
        except ValueError as error:
            if not entry or "/" in entry or ":" in entry or entry.rpartition(".")[2].isdigit():
                raise ValueError(
                    f"{entry!r} is neither a network (10.0.0.0/8), an address (10.1.2.3) nor a host (hooks.internal)"
                ) from error
            self._hosts.add(entry)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where connecting to it leads there."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def refusal(address: Address, allow: AllowList, *, host_allowed: bool = False) -> str | None:
    """Why we do not connect to that address; None where we do."""
    plain = unwrapped(address)
    if reason := _found(plain, _NEVER_TABLE):
        return f"{reason} and cannot be allowed"
    if host_allowed or allow.has(plain):
        return None
    if reason := _found(plain, _PRIVATE_TABLE):
        return reason
    if isinstance(plain, IPv6Address) and plain not in _PUBLIC_V6:
        return "is reserved"
    return None


def parse_address(text: str) -> Address | None:
    """The address, where the text is one as everybody writes it."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _found(address: Address, table: Iterable[tuple[Network, str]]) -> str | None:
    return next((reason for network, reason in table if address in network), None)
