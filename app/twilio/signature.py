"""Is this request really from Twilio: `X-Twilio-Signature`, checked against the account's auth tokens.

The URL is always the one we published (`PUBLIC_URL`) with path and query byte for byte as received, so
nothing a client or a proxy says about hosts is believed.
"""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm

from app.conf.models import TwilioCoreConf

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
BODY_HASH = "bodySHA256"

_DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature covers: the URL and, of a POST, its form fields or its raw JSON."""

    url: str
    signature: str
    settings: str = ""
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    json_body: bytes | None = field(default=None, repr=False)


def webhook_signer(request: Signed, accounts: Iterable[TwilioCoreConf]) -> TwilioCoreConf | None:
    """The account whose token signed this webhook, or None: then it is not Twilio's."""
    algorithm = _algorithm(request.settings)
    content = _content(request)
    if algorithm is None or content is None:
        return None
    return _signer(
        accounts,
        lambda token: bool(RequestValidator(token).validate(request.url, content, request.signature, algorithm)),
    )


def stream_signer(request: Signed, accounts: Iterable[TwilioCoreConf]) -> TwilioCoreConf | None:
    """The account whose token signed this websocket handshake; `url` is the published one, `wss` or `ws`."""
    algorithm = _algorithm(request.settings)
    if algorithm is None:
        return None
    urls = spellings(request.url)
    given = request.signature.encode()

    def signed_with(token: str) -> bool:
        validator = RequestValidator(token)
        expected = (validator.compute_signature(url, {}, algorithm).encode() for url in urls)
        return any(hmac.compare_digest(one, given) for one in expected)

    return _signer(accounts, signed_with)


def spellings(url: str) -> list[str]:
    """Every way Twilio may write a stream's URL before it signs it: port, trailing slash, scheme."""
    parts = urlsplit(url)
    bare = parts.path.rstrip("/")
    return [
        parts._replace(scheme=scheme, netloc=host, path=path).geturl()
        for scheme in (parts.scheme, {"wss": "https", "ws": "http"}[parts.scheme])
        for host in _hosts(parts)
        for path in (bare, f"{bare}/")
    ]


def _hosts(parts: SplitResult) -> list[str]:
    default = _DEFAULT_PORTS[parts.scheme]
    if parts.port not in (None, default):
        return [parts.netloc]
    bare = parts.netloc.removesuffix(f":{default}")
    return [bare, f"{bare}:{default}"]


def _signer(accounts: Iterable[TwilioCoreConf], signed_with: Callable[[str], bool]) -> TwilioCoreConf | None:
    for account in accounts:
        if any(signed_with(token.get_secret_value()) for token in account.auth_tokens):
            return account
    return None


def _algorithm(settings: str) -> str | None:
    """The algorithm the request names; None when it is one that we do not know."""
    algorithm = str(get_signature_algorithm(settings)).upper()
    return algorithm if algorithm in (HMAC_SHA1, HMAC_SHA256) else None


def _content(request: Signed) -> ImmutableMultiDict[str, str] | str | None:
    """The body as the vendor's validator wants it; None when the signature would not cover it."""
    if request.json_body is None:
        return ImmutableMultiDict(request.fields)
    if BODY_HASH not in parse_qs(urlsplit(request.url).query):
        return None
    try:
        return request.json_body.decode()
    except UnicodeDecodeError:
        return None
