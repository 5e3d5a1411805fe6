"""What a web tool's address, headers and placeholders must be like."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import AfterValidator, SecretStr

from app.conf.models.tools.placeholders import places, replaced
from app.egress.urls import check_url
from app.errors import EgressRefused

BODILESS = frozenset({"GET", "DELETE"})
OUTPUT_PLACE = re.compile(r"\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
"""A place in an output's template."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OURS = re.compile(
    r"accept-encoding|connection|content-length|expect|host|idempotency-key|keep-alive|proxy-.*|te|trailer|"
    r"transfer-encoding|upgrade|webhook-(id|signature|timestamp)",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ORIGIN = re.compile(r"[^/?#]*://[^/?#]*")


def _is_header(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("a header's name has letters, digits and -")
    if _OURS.fullmatch(name):
        raise ValueError(f"{name} is not yours to set")
    return name


def _fits_header(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not fits_header(text) or text != text.strip():
        raise ValueError("a header's value has no line breaks, control characters, or spaces around it")
    return value


def fits_header(text: str) -> bool:
    """Whether it can be sent as a header's value."""
    return _CONTROL.search(text) is None


HeaderName = Annotated[str, AfterValidator(_is_header)]
HeaderValue = Annotated[SecretStr, AfterValidator(_fits_header)]


def check_places(path: str, text: str, parameters: Mapping[str, Any]) -> None:
    """Raise `ValueError` for a placeholder that stands for nothing, or must not stand there."""
    for place in places(text):
        if place.source != "args":
            continue
        if path.startswith("headers."):
            raise ValueError(f"{place}: the model's arguments do not go into headers")
        if parameters.get("additionalProperties") is False and place.path[0] not in parameters.get("properties", {}):
            raise ValueError(f"{place}: the parameters have no {place.path[0]}")


def check_tool_url(url: str, allow_private: Iterable[str]) -> None:
    """Raise `ValueError` for an address that we would not ask, whatever stands in its placeholders."""
    origin = _ORIGIN.match(url)
    if origin and "{{" in origin[0]:
        raise ValueError("url: placeholders stand in its path and query, not in what says where it leads")
    rendered = replaced(url, lambda _: "x")
    if climbs(rendered):
        raise ValueError("url: its path must not have . or .. between slashes")
    try:
        check_url(rendered, allow=allow_private)
    except EgressRefused as error:
        raise ValueError(f"url: {error}") from None


def climbs(url: str) -> bool:
    """Whether some server may read a step upwards in the path of that URL."""
    path = re.split(r"[?#]", url)[0].partition("://")[2].partition("/")[2]
    return any(piece in {".", ".."} for piece in re.split(r"[/\\]", unquote(path)))
