"""An HTTP client that connects only to addresses it has checked: resolved once, checked, and connected to as such."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from socket import SOCK_STREAM
from typing import Any

import httpcore
import httpx

from app.egress.addresses import AllowList, parse_address, refusal
from app.egress.urls import check_host, check_url
from app.errors import EgressRefused

TIMEOUT_S = 15.0
CONNECT_S = 5.0
MOST_TRIED = 4
"""Addresses of one host that are tried, one after the other."""
MOST_IDLE = 50
IDLE_S = 15.0
"""A connection that nobody needs stays open so long, and so many of them."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Every address of a host, as text; raises `OSError` where there is none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, as the system's resolver has them, each once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def tls_context() -> ssl.SSLContext:
    """Whom we trust; made once, as reading the certificates takes 20 ms."""
    return httpx.create_ssl_context()


def guarded_client(
    allow: Iterable[str] = (), *, timeout_s: float = TIMEOUT_S, resolve: Resolve = resolve
) -> httpx.AsyncClient:
    """A client that reaches the public internet, and what `allow` names (networks, addresses, hosts), nothing else.

    What it refuses is `EgressRefused`. It follows no redirects, asks for uncompressed answers (a small compressed one
    may be huge), ignores the environment's proxies, and keeps no cookies. A slow server holds up no other.
    """
    allowed = AllowList(allow)
    transport = partial(_GuardedTransport, allowed, resolve)
    return httpx.AsyncClient(
        mounts={"http://": transport(plain=True), "https://": transport(plain=False)},
        transport=_Closed(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        headers={"accept-encoding": "identity", "user-agent": "Parley"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class _GuardedTransport(httpx.AsyncHTTPTransport):
    def __init__(self, allow: AllowList, resolve: Resolve, *, plain: bool) -> None:
        super().__init__(verify=tls_context(), trust_env=False)
        self._allow = allow
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            network_backend=GuardedBackend(allow, resolve, plain=plain),
            max_connections=None,  # its own limit is ten, for all servers together
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=IDLE_S,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), allow=self._allow)  # every request: a caller might follow redirects after all
        return await super().handle_async_request(request)


class _Closed(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise EgressRefused("a URL must begin with https://")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host once, checks every address it has, and connects to the checked ones; TLS still names the host."""

    def __init__(self, allow: AllowList, resolve: Resolve = resolve, *, plain: bool) -> None:
        self._allow = allow
        self._resolve = resolve
        self._plain = plain
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's word)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that takes one."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._checked(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} could not be resolved in time") from error
        failed: Exception | None = None
        for address in addresses[:MOST_TRIED]:
            share_s = timeout / min(len(addresses), MOST_TRIED) if timeout else None
            try:
                return await self._network.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        if isinstance(failed, httpcore.ConnectTimeout):
            raise httpcore.ConnectTimeout(f"{host} does not take a connection in time") from failed
        raise httpcore.ConnectError(f"{host} does not take connections on port {port}") from failed

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """There is no way to a socket file."""
        raise EgressRefused("a URL must begin with https://")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        check_host(host, self._allow, plain=self._plain)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} does not resolve to an address") from error
        for address in addresses:
            self._check_address(host, address)
        return addresses

    def _check_address(self, host: str, text: str) -> None:
        address, by_name = parse_address(text), self._allow.has_host(host)
        if address is None:
            raise EgressRefused(f"{host} leads to something that is no address")
        if why := refusal(address, self._allow, host_allowed=by_name):
            raise EgressRefused(f"{host} leads to an address that {why}")
        if self._plain and not by_name and not self._allow.has(address):
            raise EgressRefused(f"{host} is not allowed as private, so its URL must begin with https://")
