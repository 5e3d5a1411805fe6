"""The media websocket: lets in only a stream of ours, then hands it to the call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.exceptions import HTTPException
from structlog.contextvars import bound_contextvars

from app.call.socket import StreamGone
from app.errors import MediaProtocolError, Refused
from app.twilio.media_protocol import MAX_MESSAGE_BYTES, Ignored, Started, decode
from app.twilio.signature import SETTINGS, SIGNATURE, Signed, stream_signer
from app.twilio.tokens import Ticket
from app.web.deps import Arrival, Services, services
from app.web.filled import colleague, notes, refilled
from app.web.ladder import voicemail_url
from app.web.line import Line
from app.web.verified import signing_accounts, target
from app.web.ways import WaysBack

ABNORMAL = 1006
POLICY_VIOLATION = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011

_log = structlog.stdlib.get_logger(__name__)

router = APIRouter()


class WebSocketStream:
    """A `StreamSocket` over the server's websocket; turns every way of being closed into `StreamGone`."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._closed = False
        self.ignored = 0

    async def receive(self) -> str:
        """The next text message; raises `StreamGone`. A message over 64 KiB closes the socket with 1009."""
        while True:
            try:
                message = await self._websocket.receive()
            except RuntimeError:
                raise StreamGone(ABNORMAL) from None
            if message["type"] == "websocket.disconnect":
                self._closed = True
                raise StreamGone(message.get("code") or ABNORMAL)
            text: str | None = message.get("text")
            if text is None:
                self.ignored += 1
            elif len(text) > MAX_MESSAGE_BYTES:  # where the server below us has no limit of its own
                await self.close(TOO_BIG)
                raise StreamGone(TOO_BIG)
            else:
                return text

    async def send(self, text: str) -> None:
        """Send one text message; raises `StreamGone`."""
        try:
            await self._websocket.send_text(text)
        except (RuntimeError, WebSocketDisconnect):
            self._closed = True
            raise StreamGone(ABNORMAL) from None

    async def close(self, code: int = 1000) -> None:
        """Close the socket; one that is closed already is fine."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._websocket.close(code)
        except (RuntimeError, WebSocketDisconnect):
            return


@router.websocket("/twilio/media")
@router.websocket("/twilio/media/")
async def media(websocket: WebSocket) -> None:
    """Twilio opens a call's stream."""
    house = services(websocket)
    account_sid = _signed_by(house, websocket)
    if account_sid is None:
        await websocket.close()  # before accept: a plain 403
        return
    await websocket.accept()
    socket = WebSocketStream(websocket)
    try:
        started, ticket = await _admit(house, socket, account_sid)
        await _carry(house, socket, started, ticket)
    except StreamGone as gone:
        _log.info("stream_gone", code=gone.code)
    except Refused as refused:
        house.refusals(_log.warning, "stream_refused", reason=str(refused), ignored=socket.ignored)
        await socket.close(POLICY_VIOLATION)
    except Exception:  # the edge of a call: Twilio goes on with the verbs behind the stream
        _log.exception("stream_failed")
        await socket.close(INTERNAL_ERROR)
    finally:
        await socket.close()


def _signed_by(house: Services, websocket: WebSocket) -> str | None:
    """The account whose token signed the handshake."""
    try:
        accounts = signing_accounts(house)
    except HTTPException:
        return None
    origin = house.stream_url.removesuffix("/twilio/media")
    signed = Signed(
        f"{origin}{target(websocket)}", websocket.headers.get(SIGNATURE, ""), websocket.headers.get(SETTINGS, "")
    )
    account = stream_signer(signed, accounts)
    if account is None:
        house.refusals(_log.warning, "handshake_refused", reason="the signature does not fit PUBLIC_URL and the token")
        return None
    return account.account_sid


async def _admit(house: Services, socket: WebSocketStream, account_sid: str) -> tuple[Started, Ticket]:
    """The stream's `start` and its ticket; raises `Refused` unless it is this account's, and this call's first."""
    try:
        async with asyncio.timeout(house.deadlines.start_s):
            started = await _start(socket)
    except TimeoutError:
        raise Refused("no start message in time") from None
    if started.account_sid != account_sid:
        raise Refused("the stream belongs to another account than the one that signed")
    if _is_taken(house, started.call_sid):
        raise Refused("the call has its stream already")
    ticket = await house.tokens.redeem(started.parameters, call_sid=started.call_sid, account_sid=account_sid)
    if _is_taken(house, started.call_sid, ticket):
        raise Refused("the call has got another stream meanwhile")
    return started, ticket


def _is_taken(house: Services, call_sid: str, ticket: Ticket | None = None) -> bool:
    """Whether that call has a stream, or awaits one with another ticket."""
    if not house.calls.is_live(call_sid):
        return False
    call = house.calls.control(call_sid)
    return call is None or not call.leaving or not (ticket is None or ticket.rejoins)


async def _start(socket: WebSocketStream) -> Started:
    """Wait for `start`; whatever else comes before it is counted and dropped."""
    while True:
        text = await socket.receive()
        try:
            event = decode(text)
        except MediaProtocolError:
            socket.ignored += 1
            continue
        if isinstance(event, Started):
            return event
        if event != Ignored("connected"):
            socket.ignored += 1


async def _carry(house: Services, socket: WebSocketStream, started: Started, ticket: Ticket) -> None:
    with bound_contextvars(call=ticket.call_id, call_sid=ticket.call_sid, agent=ticket.agent):
        if ticket.rejoins:
            await _rejoin(house, socket, started, ticket)
            return
        async with _arrival(house, ticket) as arrival:
            await house.run_call(arrival, socket, started)


async def _rejoin(house: Services, socket: WebSocketStream, started: Started, ticket: Ticket) -> None:
    """The caller of a live call is back from elsewhere; where it is not here, a new one follows as after a crash."""
    call = house.calls.control(ticket.call_id)
    if call is None:
        raise Refused("the call is not in this process, or is over")
    await call.rejoin(socket, started.stream_sid)


@asynccontextmanager
async def _arrival(house: Services, ticket: Ticket) -> AsyncIterator[Arrival]:
    line = Line(ticket.call_sid, ticket.from_number, ticket.to_number, ticket.direction)
    agent = refilled(house.conf, ticket, line)
    version = house.conf.agent_version(ticket.agent)
    async with house.lobby.claim(ticket.call_sid, agent, version) as guest:
        yield Arrival(
            call_id=ticket.call_id,
            call_sid=ticket.call_sid,
            account_sid=ticket.account_sid,
            from_number=ticket.from_number,
            to_number=ticket.to_number,
            agent_name=ticket.agent,
            agent=guest.agent,
            agent_version=guest.agent_version,
            fallback_number=ticket.fallback_number,
            attempt=ticket.attempt,
            ways=WaysBack(house, ticket, guest.agent),
            find_colleague=partial(colleague, house.conf, ticket, line),
            direction=ticket.direction,
            voicemail_url=voicemail_url(house.public_url, ticket.agent, guest.agent, line, attempt=ticket.attempt + 1),
            session=guest.session,
            notes=notes(ticket),
        )
