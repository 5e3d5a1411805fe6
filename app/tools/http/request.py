"""The request that a web tool is asked with: what is configured, with the values of one call of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.conf.models import HttpTool
from app.conf.models.tools.placeholders import Place, places
from app.conf.models.tools.web import climbs, fits_header
from app.egress.signing import signature
from app.egress.urls import MOST_CHARACTERS
from app.errors import ToolError
from app.tools.http.render import NOTHING, Values, as_text, json_value, quoted, text

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as often as it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """As configured; secrets among them."""
    body: str | None
    key: str
    """Tells the service that two requests are one and the same."""


def request(tool: HttpTool, values: Values, key: str) -> Request:
    """What to send. Raises `ToolError` where the values make no request."""
    return Request(tool.method, _url(tool, values), _headers(tool, values), _body(tool, values), key)


def sent_headers(request: Request, tool: HttpTool, now: datetime) -> dict[str, str]:
    """The headers to send now, signed where the tool has a secret. Raises `ValueError` for one that cannot sign."""
    ours = {"idempotency-key": request.key, "accept": f"{JSON}, text/plain;q=0.9, */*;q=0.1"}
    if request.body is not None:
        ours["content-type"] = JSON
    if tool.signing_secret:
        signed = signature([tool.signing_secret], request.key, request.body or "", now)
        ours |= {name: value for name, value in signed.items() if name != "content-type"}
    return ours | {name.lower(): value for name, value in request.headers.items()}


def _url(tool: HttpTool, values: Values) -> str:
    address, _, query = tool.url.partition("?")
    for place in places(address):
        if not as_text(values.get(place)):
            raise ToolError(f"The tool needs a value for {_named(place)}.")
    pairs = [*_configured(tool, values), *_left_over(tool, values)]
    asked = "&".join(filter(None, [quoted(query, values), urlencode(pairs, quote_via=quote)]))
    path = quoted(address, values)
    if climbs(path):
        raise ToolError("The arguments do not fit: a value in the address must not be '.' or '..'.")
    url = f"{path}?{asked}" if asked else path
    if len(url) > MOST_CHARACTERS:
        raise ToolError("The arguments do not fit: they are too long.")
    return url


def _configured(tool: HttpTool, values: Values) -> list[tuple[str, str]]:
    found = json_value(tool.query, values)
    return [(name, as_text(value)) for name, value in found.items()]


def _left_over(tool: HttpTool, values: Values) -> list[tuple[str, str]]:
    """The arguments of a request without a body that stand nowhere else."""
    if tool.has_body:
        return []
    stand = {place.path[0] for each in tool.texts().values() for place in places(each) if place.source == "args"}
    return [(name, as_text(value)) for name, value in values.args.items() if name not in stand]


def _headers(tool: HttpTool, values: Values) -> dict[str, str]:
    headers = {name: text(value.get_secret_value(), values).strip() for name, value in tool.headers.items()}
    if broken := [name for name, value in headers.items() if not fits_header(value)]:
        raise ToolError(f"The tool cannot be used in this call: its header {broken[0]} cannot be sent.")
    return headers


def _body(tool: HttpTool, values: Values) -> str | None:
    if not tool.has_body:
        return None
    body: Any = dict(values.args) if tool.body is None else json_value(tool.body, values)
    whole = None if body is NOTHING else body
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _named(place: Place) -> str:
    return re.sub(r"[{}]", "", str(place)).removeprefix("args.")
