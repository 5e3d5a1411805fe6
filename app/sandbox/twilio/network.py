"""The carrier's way out: signed webhooks, signed media sockets, and the phones that calls can be put through to."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from app.errors import CarrierFault
from app.sandbox.twilio.messages import StreamMessages
from app.sandbox.twilio.stream import MediaStream
from app.sandbox.twilio.timeline import Chronicle
from app.sandbox.twilio.webhook import Answer, new_sid, request, sign


@dataclass(frozen=True, slots=True)
class Destination:
    """How a phone that is called behaves: it rings, then somebody answers (or not) and talks for a while."""

    outcome: Literal["answered", "busy", "no-answer", "failed"] = "answered"
    ring_ms: float = 1000.0
    talk_ms: float | None = 3000.0
    """None: until the caller hangs up."""
    answered_by: Literal["human", "machine", "fax", "unknown"] = "human"
    listened_ms: float = 1000.0
    """The carrier knows who has picked up so long after the answer."""


class Network:
    """Sends what the carrier sends, in the name of one account."""

    def __init__(self, *, account_sid: str, auth_token: str, speed: float, webhook_limit_s: float) -> None:
        self.account_sid = account_sid
        self.speed = speed
        self.destinations: dict[str, Destination] = {}
        self._auth_token = auth_token
        self._webhook_limit_s = webhook_limit_s
        self._ssl = ssl.create_default_context()
        self._http = httpx.AsyncClient(
            verify=self._ssl,
            trust_env=False,
            timeout=None,  # noqa: S113 - the limit is one for connect and answer together, see `webhook`
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    def chronicle(self) -> Chronicle:
        """A fresh chronicle on this rehearsal's clock."""
        return Chronicle(self.speed)

    async def pass_ms(self, ms: float) -> None:
        """Let that much of the rehearsal's time go by."""
        await asyncio.sleep(ms / 1000 / self.speed)

    def sign(self, url: str, params: Mapping[str, str] | None = None) -> str:
        """The signature this account's requests carry."""
        return sign(self._auth_token, url, params)

    async def webhook(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        method: str = "POST",
        signature: str | None = None,
        idempotency_token: str | None = None,
    ) -> Answer:
        """Send one signed webhook; no answer in time, or no connection after two tries, is a `CarrierFault`."""
        ready = request(
            self._auth_token, url, params, method=method, signature=signature, idempotency_token=idempotency_token
        )
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._webhook_limit_s):
                response = await self._send_twice(ready.method, ready.url, ready.headers, ready.body)
        except TimeoutError as error:
            raise CarrierFault(f"{url} did not answer within {self._webhook_limit_s:g} s", code=11200) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CarrierFault(f"{url} cannot be reached: {error!r}", code=11205) from error
        took_ms = (time.monotonic() - began) * 1000
        return Answer(url, response.status_code, response.headers, response.content, took_ms)

    async def _send_twice(self, method: str, url: str, headers: dict[str, str], body: str | None) -> httpx.Response:
        """Only a connection that could not be made gets a second try."""
        try:
            return await self._http.request(method, url, headers=headers, content=body)
        except httpx.ConnectError:
            return await self._http.request(method, url, headers=headers, content=body)

    async def open_stream(
        self,
        url: str,
        *,
        call_sid: str,
        parameters: Mapping[str, str] | None = None,
        chronicle: Chronicle | None = None,
        signature: str | None = None,
    ) -> MediaStream:
        """Shake hands with a media socket, signed; a refusal raises `CarrierFault` with its code and HTTP status."""
        try:
            socket = await connect(
                url,
                additional_headers={"x-twilio-signature": signature or self.sign(url)},
                user_agent_header="Twilio.TmeWs/1.0",
                ssl=self._ssl if url.startswith("wss:") else None,
                compression=None,
                proxy=None,
                open_timeout=self._webhook_limit_s,
                close_timeout=0.5,
                ping_interval=None,
                max_size=16 << 20,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            raise CarrierFault(f"the handshake was answered {status}, not 101", code=31920, status=status) from error
        except InvalidURI as error:
            raise CarrierFault(f"malformed stream URL: {error}", code=31923) from error
        except InvalidHandshake as error:
            raise CarrierFault(f"no websocket handshake: {error}", code=31924) from error
        except ssl.SSLError as error:
            raise CarrierFault(f"TLS failed: {error}", code=31910) from error
        except TimeoutError as error:
            raise CarrierFault("the media socket did not open in time", code=31901) from error
        except OSError as error:
            raise CarrierFault(f"the media socket cannot be reached: {error}", code=31902) from error
        messages = StreamMessages(
            stream_sid=new_sid("MZ"),
            account_sid=self.account_sid,
            call_sid=call_sid,
            parameters=dict(parameters or {}),
        )
        return MediaStream(socket, messages, chronicle or self.chronicle())
