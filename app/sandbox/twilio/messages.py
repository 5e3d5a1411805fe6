"""Media Streams messages as the carrier writes and reads them: exact outwards, unforgiving inwards.

It shares nothing with the server's own codec, so that a mistake there cannot hide here.
"""

from dataclasses import dataclass

import msgspec

from app.audio import FRAME_BYTES, FRAME_MS, SILENCE, from_base64, to_base64
from app.errors import CarrierFault

UNDECODABLE = 31950
NON_CONFORMING = 31951

_SILENT_FRAME = to_base64(SILENCE * FRAME_BYTES)
_json = msgspec.json.Encoder()


class StreamMessages:
    """Writes the messages of one stream and counts them as the carrier does: from 1, as strings."""

    def __init__(self, *, stream_sid: str, account_sid: str, call_sid: str, parameters: dict[str, str]) -> None:
        self.stream_sid = stream_sid
        self.account_sid = account_sid
        self.call_sid = call_sid
        self.parameters = parameters
        self._sequence = 0

    def connected(self) -> str:
        """The first message, which says nothing about the call yet."""
        return '{"event":"connected","protocol":"Call","version":"1.0.0"}'

    def start(self) -> str:
        """Who is calling, and what the TwiML passed along."""
        return self._message(
            "start",
            {
                "streamSid": self.stream_sid,
                "accountSid": self.account_sid,
                "callSid": self.call_sid,
                "tracks": ["inbound"],
                "customParameters": self.parameters,
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        )

    def media(self, chunk: int, frame: bytes | None) -> str:
        """The caller's 20 ms number `chunk`, counted from 1; None stands for silence."""
        self._sequence += 1
        payload = _SILENT_FRAME if frame is None else to_base64(frame)
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","streamSid":"{self.stream_sid}","media":'
            f'{{"track":"inbound","chunk":"{chunk}","timestamp":"{chunk * FRAME_MS}","payload":"{payload}"}}}}'
        )

    def dtmf(self, digit: str) -> str:
        """The caller pressed a key."""
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """The echo of a mark."""
        return self._message("mark", {"name": name})

    def stop(self) -> str:
        """The stream is over."""
        return self._message("stop", {"accountSid": self.account_sid, "callSid": self.call_sid})

    def _message(self, event: str, body: dict[str, object]) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid, event: body}
        return _json.encode(message).decode()


@dataclass(frozen=True, slots=True)
class Play:
    """Audio for the caller's ear."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """The server wants to know when everything so far has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Everything that waits is to be dropped."""


ServerMessage = Play | Mark | Clear


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    payload: str


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _Media(msgspec.Struct, tag_field="event", tag="media", rename="camel", forbid_unknown_fields=True):
    stream_sid: str
    media: _Payload


class _Mark(msgspec.Struct, tag_field="event", tag="mark", rename="camel", forbid_unknown_fields=True):
    stream_sid: str
    mark: _Name


class _Clear(msgspec.Struct, tag_field="event", tag="clear", rename="camel", forbid_unknown_fields=True):
    stream_sid: str


_server_messages = msgspec.json.Decoder(_Media | _Mark | _Clear)


def read(message: str | bytes, stream_sid: str) -> ServerMessage:
    """One message of the server; whatever the real carrier would drop raises `CarrierFault` with its code."""
    if isinstance(message, bytes):
        raise CarrierFault("a binary frame", code=UNDECODABLE)
    try:
        parsed = _server_messages.decode(message)
        if parsed.stream_sid != stream_sid:
            raise CarrierFault("a streamSid that is not this stream's", code=NON_CONFORMING)
        match parsed:
            case _Media():
                return Play(from_base64(parsed.media.payload))
            case _Mark():
                return Mark(parsed.mark.name)
            case _:
                return Clear()
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise CarrierFault(f"not a Media Streams message: {error}", code=NON_CONFORMING) from error
