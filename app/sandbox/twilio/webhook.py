"""Webhooks as the carrier sends them: parameters, signature, and what it makes of the answer."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator

from app.errors import CarrierFault
from app.sandbox.twilio.twiml import MAX_BYTES, stream_of

USER_AGENT = "TwilioProxy/1.1"
_XML = frozenset({"text/xml", "application/xml"})
_PLACES = ("City", "State", "Zip", "Country")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a webhook. `took_ms` is real time."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: float

    @property
    def text(self) -> str:
        """The body as the text it should be."""
        return self.body.decode("utf-8", "replace")

    @property
    def stream(self) -> tuple[str, dict[str, str]]:
        """The URL and the parameters of the stream that the answer connects."""
        return stream_of(self.text)


@dataclass(frozen=True, slots=True)
class Request:
    """One signed HTTP request, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


def new_sid(prefix: str) -> str:
    """A fresh SID of that kind: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def sign(auth_token: str, url: str, params: Mapping[str, str] | None = None) -> str:
    """The `X-Twilio-Signature` of a form POST, or of a URL alone."""
    return str(RequestValidator(auth_token).compute_signature(url, dict(params or {})))


def request(
    auth_token: str,
    url: str,
    params: Mapping[str, str],
    *,
    method: str = "POST",
    signature: str | None = None,
    idempotency_token: str | None = None,
) -> Request:
    """A webhook request; a signature of the caller's choice stands in for the true one."""
    headers = {
        "User-Agent": USER_AGENT,
        "I-Twilio-Idempotency-Token": idempotency_token or secrets.token_hex(16),
        "X-Home-Region": "us1",
        "Accept": "*/*",
    }
    if method == "GET":
        parts = urlsplit(url)
        url = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(params))))))
        headers["X-Twilio-Signature"] = signature or sign(auth_token, url)
        return Request(method, url, headers, None)
    headers["X-Twilio-Signature"] = signature or sign(auth_token, url, params)
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    return Request(method, url, headers, urlencode(params))


def twiml_of(answer: Answer) -> str:
    """The document in an answer; an answer the carrier would not accept raises `CarrierFault` with its code."""
    if not 200 <= answer.status < 300:
        raise CarrierFault(f"{answer.url} answered {answer.status}", code=11200, status=answer.status)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _XML:
        raise CarrierFault(f"{answer.url} answered content type {kind or 'none'}, not text/xml", code=12300)
    if len(answer.body) > MAX_BYTES:
        raise CarrierFault(f"{answer.url} answered more than 64 kB", code=11750)
    return answer.text


def voice_params(*, account_sid: str, call_sid: str, from_: str, to: str, direction: str) -> dict[str, str]:
    """Everything a voice webhook carries about a call but its status; unknown places are blank, and signed."""
    params = {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "Called": to,
        "Caller": from_,
        "Direction": direction,
        "From": from_,
        "To": to,
    }
    if direction == "inbound":
        params |= {"CallToken": '{"parentCallInfoToken":"e30="}', "StirVerstat": "TN-Validation-Passed-A"}
    for party in ("Called", "Caller", "From", "To"):
        params |= {f"{party}{place}": "" for place in _PLACES} | {f"{party}Country": "US"}
    return params
