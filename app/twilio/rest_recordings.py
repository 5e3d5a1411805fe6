"""Twilio's recordings over REST: which ones a call has, their sound, and deleting them there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec

from app.errors import CarrierApiError, Refused
from app.twilio.recordings import BY_VERB, RECORDING_SID, Notice, notice
from app.twilio.rest import TwilioRest, unreachable

MOST_REDIRECTS = 3
MOST_BYTES = 1 << 30
"""More than eight hours of both channels; no call is that long."""
PIECE_BYTES = 1 << 18
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_FETCHING = "fetching a recording"


class _Recording(msgspec.Struct):
    sid: str
    status: str
    call_sid: str = ""
    error_code: int | str | None = None
    source: str | None = None


class _Page(msgspec.Struct):
    recordings: list[_Recording]


class RecordingsRest:
    """The recordings of one account."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def of_call(self, call_sid: str) -> list[Notice]:
        """What Twilio says of the recordings of that call, as far as we understand it."""
        what = "listing a call's recordings"
        response = await self._rest.ask(what, self._rest.request("GET", f"/Calls/{call_sid}/Recordings.json"))
        try:
            found = msgspec.json.decode(response.content, type=_Page).recordings
        except msgspec.DecodeError as error:
            raise CarrierApiError(f"{what}: Twilio's answer cannot be read: {error}") from None
        read = (_notice(self._rest.account_sid, call_sid, each) for each in found)
        return [each for each in read if each]

    async def delete(self, recording_sid: str) -> None:
        """Delete it there; one that is gone already is fine."""
        try:
            await self._rest.ask(
                "deleting a recording", self._rest.request("DELETE", f"/Recordings/{_checked(recording_sid)}.json")
            )
        except CarrierApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def fetch(self, recording_sid: str, file: Path, *, most_bytes: int = MOST_BYTES) -> None:
        """Bring the recording, as a WAV file of both channels, into that file.

        Raises `CarrierApiError`; with a status where Twilio refused. `OSError` where the file cannot be written.
        """
        async with self._sound(recording_sid) as response:
            expected = response.headers.get("content-length")
            received = 0
            with await asyncio.to_thread(file.open, "wb") as out:
                async for piece in _pieces(response):
                    received += len(piece)
                    if received > most_bytes:
                        raise CarrierApiError(f"{_FETCHING}: it has more than {most_bytes} bytes")
                    await asyncio.to_thread(out.write, piece)
        if expected is not None and received != int(expected):
            raise CarrierApiError(f"{_FETCHING}: {received} of {expected} bytes came")

    @asynccontextmanager
    async def _sound(self, recording_sid: str) -> AsyncIterator[httpx.Response]:
        """The answer that holds the sound; the first address is made from the SID alone.

        Where it is kept elsewhere we follow, by https, and leave the account's credentials behind for good.
        """
        request = self._rest.request(
            "GET", f"/Recordings/{_checked(recording_sid)}.wav", params={"RequestedChannels": 2}
        )
        home, signed_in = request.url, True
        for _ in range(MOST_REDIRECTS + 1):
            request.headers["Accept-Encoding"] = "identity"  # so that Content-Length counts the bytes we get
            signed_in = signed_in and _origin(request.url) == _origin(home)
            response = await self._rest.open(_FETCHING, request, signed_in=signed_in)
            try:
                if response.is_success:
                    yield response
                    return
                request = httpx.Request("GET", _next_url(response, home))
            finally:
                await response.aclose()
        raise CarrierApiError(f"{_FETCHING}: Twilio redirected more than {MOST_REDIRECTS} times")


def _checked(recording_sid: str) -> str:
    if not RECORDING_SID.fullmatch(recording_sid):
        raise ValueError("not the SID of a recording")
    return recording_sid


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _next_url(response: httpx.Response, home: httpx.URL) -> httpx.URL:
    """Where a redirection leads; http is taken only from one loopback address to another, for rehearsals."""
    if not response.has_redirect_location:
        raise CarrierApiError(f"{_FETCHING}: Twilio answered {response.status_code}", status=response.status_code)
    try:
        url = response.url.join(response.headers["location"])
    except httpx.InvalidURL as error:
        raise CarrierApiError(f"{_FETCHING}: Twilio redirected to no address at all") from error
    rehearsal = url.scheme == "http" and home.scheme == "http" and {url.host, home.host} <= LOOPBACK
    if not url.host or not (url.scheme == "https" or rehearsal):
        raise CarrierApiError(f"{_FETCHING}: Twilio redirected to an address that is not https")
    return url


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_raw(PIECE_BYTES):
            yield piece
    except httpx.TransportError as error:
        raise unreachable(_FETCHING, error) from error


def _notice(account_sid: str, call_sid: str, recording: _Recording) -> Notice | None:
    try:
        return notice(
            account_sid=account_sid,
            call_sid=recording.call_sid or call_sid,
            recording_sid=recording.sid,
            status=recording.status,
            error_code=str(recording.error_code or ""),
            message=recording.source == BY_VERB,
        )
    except Refused:
        return None
