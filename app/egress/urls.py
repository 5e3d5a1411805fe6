"""What a URL itself tells about where it leads."""

import re
from collections.abc import Iterable

from app.egress.addresses import AllowList, parse_address, refusal
from app.errors import EgressRefused

MOST_CHARACTERS = 2048
_BROKEN = re.compile(r"[\s\x00-\x20\x7f\\]")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
"""A host whose last label looks so is an address, in one of the spellings that resolvers take."""
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)


def check_url(url: str, *, allow: Iterable[str] | AllowList = ()) -> None:
    """Raise `EgressRefused` for a URL that we would not connect to, wherever its name leads today.

    Plain http is for what `allow` lets in; a name that leads elsewhere is refused when it is connected to.
    """
    import httpx  # slow to import; and its own reading of the URL is the one that counts

    allowed = allow if isinstance(allow, AllowList) else AllowList(allow)
    if len(url) > MOST_CHARACTERS or _BROKEN.search(url):
        raise EgressRefused("this is not a URL: it is too long, or has spaces, control characters or backslashes")
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise EgressRefused("this is not a URL that we can read; its host must be written in the usual way") from error
    if read.scheme not in {"http", "https"}:
        raise EgressRefused("a URL must begin with https://")
    if read.userinfo or "@" in re.split(r"[/?#]", url.partition("://")[2])[0]:
        raise EgressRefused("a URL must not hold a user name or password")
    if "#" in url:
        raise EgressRefused("a URL must not have a fragment (#)")
    if read.port is not None and not 0 < read.port < 65536:
        raise EgressRefused("a URL's port is between 1 and 65535")
    check_host(read.raw_host.decode("ascii"), allowed, plain=read.scheme == "http")


def check_host(host: str, allow: AllowList, *, plain: bool = False) -> None:
    """Raise `EgressRefused` for a host that we would not connect to; `plain` is for connections without TLS."""
    address = parse_address(host)
    if address is None:
        _check_name(host)
    by_name = allow.has_host(host)
    if address is not None and (why := refusal(address, allow, host_allowed=by_name)):
        raise EgressRefused(f"the address {host} {why}")
    if address is None and not by_name and _is_local(host) and not allow:
        raise EgressRefused(f"{host} is this machine itself")
    if plain and not by_name and not (allow.has(address) if address else allow):
        raise EgressRefused("a URL must begin with https://; http:// is for addresses that are allowed as private")


def _check_name(host: str) -> None:
    if not host:
        raise EgressRefused("a URL must name a host")
    if "%" in host or ":" in host:
        raise EgressRefused("a URL's host must have no zone and no escaped characters")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise EgressRefused("an address must be written as four numbers with dots between, or as IPv6 in brackets")
    if not _NAME.fullmatch(host):
        raise EgressRefused("a URL's host must be a name like hooks.example.com, without a dot at its end")


def _is_local(host: str) -> bool:
    return f".{host.lower()}".endswith(".localhost")
