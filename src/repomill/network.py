"""Which addresses may be connected to, and how.

A URL comes from a feed that anybody may have written. So a name is resolved here, once, every
address it gives has to be public, and the connection goes to exactly those addresses: what a
second look-up would say does not matter. Behind a proxy the proxy resolves names; then only
addresses written out in the URL can be checked.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed

from repomill.errors import BlockedError, NetworkError, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) → textual addresses; raises OSError where there are none."""

# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_AZURE_PLATFORM = ipaddress.ip_address("168.63.129.16")
# Forms of IPv6 with an IPv4 address in the last 32 bits
_EMBEDDING = (
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64, RFC 6052
    ipaddress.ip_network("64:ff9b:1::/48"),  # RFC 8215
    ipaddress.ip_network("::/96"),  # compatible addresses, RFC 4291 2.5.5.1
    ipaddress.ip_network("::ffff:0:0:0/96"),  # translated addresses, RFC 2765
)
# What older versions of the standard library call global
_NOT_PUBLIC = (
    ipaddress.ip_network("fec0::/10"),  # site-local, RFC 3879
    ipaddress.ip_network("3fff::/20"),  # documentation, RFC 9637
    ipaddress.ip_network("5f00::/16"),  # segment routing, RFC 9602
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments, RFC 6890
)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses the system's resolver gives for *host*; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Route:
    """How a host is reached: by addresses that were checked, or by a proxy."""

    addresses: tuple[str, ...] = ()
    proxy: str | None = field(default=None, repr=False)
    """URL of the proxy; may hold credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRules:
    """The rules for one run.

    *allowed* names hosts, as ``HOST`` or ``HOST:PORT``, that may have private addresses.
    *proxies* maps ``https``, ``all`` and ``no`` to what their environment variables say.
    """

    allowed: frozenset[str] = frozenset()
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str | None = None
    """PEM file with the certificates to trust; None for the system's."""
    resolver: Resolver = resolve

    def route(self, host: str, port: int) -> Route:
        """Return how *host* may be reached.

        Raises BlockedError for an address that is not public, NetworkError for an unknown name.
        """
        proxy = self._proxy_for(host, port)
        if proxy and not _is_literal(host):
            return Route(proxy=proxy)
        addresses = self._resolve(host, port)
        if not self._allows(host, port):
            for address in addresses:
                _check(host, address)
        return Route(proxy=proxy) if proxy else Route(addresses=tuple(map(str, addresses)))

    def _proxy_for(self, host: str, port: int) -> str | None:
        proxy = self.proxies.get("https") or self.proxies.get("all")
        if not proxy or proxy_bypass_environment(f"{host}:{port}", dict(self.proxies)):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _resolve(self, host: str, port: int) -> list[Address]:
        try:
            found = self.resolver(host, port)
        except (OSError, UnicodeError):
            raise NetworkError(f"{host} has no address; check the spelling and the DNS") from None
        return [ipaddress.ip_address(text.partition("%")[0]) for text in found]

    def _allows(self, host: str, port: int) -> bool:
        shown = f"[{host}]" if ":" in host else host
        return not self.allowed.isdisjoint({host, shown, f"{shown}:{port}"})


def from_environment(environ: Mapping[str, str], *, allowed: Sequence[str] = ()) -> NetworkRules:
    """Return the rules that *environ* and the allowed hosts of the command line make.

    Read are ``https_proxy``, ``all_proxy`` and ``no_proxy`` in either case, and
    ``GIT_SSL_CAINFO`` or else ``SSL_CERT_FILE`` for the certificates to trust.
    """
    proxies = {}
    for name in ("https", "all", "no"):
        lower, upper = f"{name}_proxy", f"{name.upper()}_PROXY"
        proxies[name] = environ.get(lower, environ.get(upper, ""))
    proxies["no"] = ",".join(proxies["no"].replace(",", " ").split())
    ca_file = environ.get("GIT_SSL_CAINFO") or environ.get("SSL_CERT_FILE")
    return NetworkRules(
        allowed=frozenset(_allowed_host(text) for text in allowed),
        proxies=proxies,
        ca_file=os.path.abspath(ca_file) if ca_file else None,  # noqa: PTH100 links stay
    )


def is_public(address: Address) -> bool:
    """Whether *address* belongs to the public internet, in every reading of it.

    >>> is_public(ipaddress.ip_address("::ffff:169.254.169.254"))
    False
    >>> is_public(ipaddress.ip_address("140.82.121.4"))
    True
    """
    return all(
        reading.is_global
        and not reading.is_multicast
        and reading != _AZURE_PLATFORM
        and not any(reading in network for network in _NOT_PUBLIC)
        for reading in _readings(address)
    )


def _readings(address: Address) -> list[Address]:
    """Return the address and every IPv4 address that a gateway may read out of it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    readings: list[Address] = [address]
    if address.sixtofour:
        readings.append(address.sixtofour)
    if address.teredo:
        readings.extend(address.teredo)
    if any(address in network for network in _EMBEDDING):
        readings.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return readings


def _check(host: str, address: Address) -> None:
    if not is_public(address):
        raise BlockedError(
            f"{host} leads to {address}, which is no public address; "
            f"if you trust it, name it with --allow-host {host}"
        )


def _is_literal(host: str) -> bool:
    """Whether *host* is an address in any spelling that the C library takes (``127.1``, hex)."""
    if host == "localhost" or host.endswith(".localhost") or ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _allowed_host(text: str) -> str:
    host = text.strip().lower()
    if not host or "/" in host or "@" in host:
        raise UsageError(
            "--allow-host: write HOST or HOST:PORT, without scheme, path or credentials"
        )
    return host
