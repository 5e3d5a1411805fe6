"""Lets only Twilio in: the signed webhook as a dependency of every route under /twilio."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl

import structlog
from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from app.conf.models import TwilioCoreConf
from app.errors import ConfError
from app.twilio.signature import SETTINGS, SIGNATURE, Signed, webhook_signer
from app.web.deps import Services, services
from app.web.line import Line

CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
MAX_FIELDS = 1000
NUMBER_CHARACTERS = 255
"""Callers may be SIP addresses; what is longer than this is cut."""
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""The `CallStatus` of a phone call that is over."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request that Twilio signed, about a call of one of our accounts."""

    account_sid: str
    call_sid: str
    fields: dict[str, str] = field(repr=False)
    query: dict[str, str] = field(repr=False)

    @property
    def line(self) -> Line:
        """Who is on the line; webhooks beside the call's own do not say."""
        caller, called = (self.fields.get(name, "")[:NUMBER_CHARACTERS] for name in ("From", "To"))
        placed = self.fields.get("Direction", "").startswith("outbound")
        return Line(self.call_sid, caller, called, "outbound" if placed else "inbound")

    @property
    def over(self) -> bool:
        """Whether the phone call is over."""
        return self.fields.get("CallStatus") in OVER


async def verified(request: Request) -> Webhook:
    """The webhook; answers 503 while nobody could be verified, 403 to anyone but Twilio, 400 to what is unreadable."""
    house = services(request)
    accounts = signing_accounts(house)
    query = _pairs(request.scope["query_string"])
    signed, fields = await _read(request, f"{house.public_url}{target(request)}", query)
    account = webhook_signer(signed, accounts)
    if account is None:
        raise _refused(house, request, _why_unsigned(signed, house.public_url))
    values = dict(fields)
    if values.get("AccountSid") != account.account_sid:
        raise _refused(house, request, "AccountSid is not the account whose token signed this request.")
    if not CALL_SID.fullmatch(call_sid := values.get("CallSid", "")):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "CallSid is missing or malformed.")
    return Webhook(account.account_sid, call_sid, values, dict(query))


Verified = Annotated[Webhook, Depends(verified)]


def signing_accounts(house: Services) -> list[TwilioCoreConf]:
    """The accounts whose signatures count; a 503 with the reason where there can be none. Never 'open'."""
    reason = None
    accounts: list[TwilioCoreConf] = []
    if house.public_url is None:
        reason = "PUBLIC_URL is not set: signatures cannot be verified. Set it to the https origin that Twilio reaches."
    else:
        try:
            accounts = house.conf.twilio_accounts()
        except ConfError:
            _log.exception("twilio_accounts_unreadable")
        if not accounts:
            reason = (
                "No Twilio auth token is configured: signatures cannot be verified. Set one: parley conf set twilio"
            )
    if reason:
        house.refusals(_log.warning, "twilio_cannot_be_verified", reason=reason)
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, reason)
    return accounts


def target(connection: HTTPConnection) -> str:
    """Path and query, byte for byte as received."""
    raw_path: bytes = connection.scope["raw_path"]
    query: bytes = connection.scope["query_string"]
    return (raw_path + (b"?" + query if query else b"")).decode("latin-1")


async def _read(
    request: Request, url: str, query: tuple[tuple[str, str], ...]
) -> tuple[Signed, tuple[tuple[str, str], ...]]:
    """What is signed, and the fields the request carries."""
    signature = request.headers.get(SIGNATURE, "")
    settings = request.headers.get(SETTINGS, "")
    body = b"" if request.method == "GET" else await request.body()
    if not body:
        return Signed(url, signature, settings), query if request.method == "GET" else ()
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            fields = _pairs(body)
            return Signed(url, signature, settings, fields), fields
        case "application/json":
            return Signed(url, signature, settings, json_body=body), query
        case _:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "The body must be application/x-www-form-urlencoded.")


async def unverified_number(request: Request) -> str:
    """The called number as anybody may have written it: good for a guess, and nothing more."""
    body = request.scope["query_string"] if request.method == "GET" else await request.body()
    try:
        return dict(_pairs(body)).get("To", "")[:NUMBER_CHARACTERS]
    except HTTPException:
        return ""


def _pairs(encoded: bytes) -> tuple[tuple[str, str], ...]:
    """Urlencoded fields, exactly as they are signed: blank ones count."""
    try:
        return tuple(parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The fields are not readable as urlencoded UTF-8.") from None


def _refused(house: Services, request: Request, reason: str) -> HTTPException:
    house.refusals(_log.warning, "webhook_refused", path=request.url.path, reason=reason)
    return HTTPException(HTTPStatus.FORBIDDEN, reason)


def _why_unsigned(signed: Signed, public_url: str | None) -> str:
    if not signed.signature:
        return "The request carries no X-Twilio-Signature."
    return f"The signature does not fit: check that Twilio calls {public_url} (PUBLIC_URL), and the auth token."
