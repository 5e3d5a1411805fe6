"""Twilio Media Streams frames, in and out. Raw wire words stay in this file.

Source: Twilio's Media Streams websocket messages, bidirectional streams.
"""

from dataclasses import dataclass, field

import msgspec

from app.errors import MediaProtocolError

MAX_MESSAGE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Started:
    """The stream's first real message: who is calling, and what our TwiML passed along."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Media:
    """Caller audio: base64 µ-law that nobody has opened. `at_ms` is the stream's own clock."""

    payload: str
    at_ms: int
    chunk: int


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Twilio has played everything before our mark, or dropped it after a `clear`."""

    name: str


@dataclass(frozen=True, slots=True)
class Dtmf:
    """The caller pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stream is over; nothing may be written after this."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A kind of message we have no use for."""

    kind: str


MediaEvent = Started | Media | MarkReached | Dtmf | Stopped | Ignored


class _Start(msgspec.Struct, rename="camel"):
    call_sid: str
    account_sid: str
    custom_parameters: dict[str, str] = field(default_factory=dict)


class _Media(msgspec.Struct):
    payload: str
    timestamp: str = "0"
    chunk: str = "0"


class _Mark(msgspec.Struct):
    name: str


class _Dtmf(msgspec.Struct):
    digit: str


class _Frame(msgspec.Struct, rename="camel"):
    event: str
    stream_sid: str = ""
    start: _Start | None = None
    media: _Media | None = None
    mark: _Mark | None = None
    dtmf: _Dtmf | None = None


_frames = msgspec.json.Decoder(_Frame)


def decode(text: str) -> MediaEvent:
    """Read one Media Streams message. Kinds we have no use for come back as `Ignored`; broken ones raise."""
    try:
        frame = _frames.decode(text)
        match frame:
            case _Frame(event="media", media=_Media() as media):
                if '"' in media.payload or "\\" in media.payload:  # it goes on unopened, inside other JSON
                    raise MediaProtocolError("a media message whose payload is not base64")
                return Media(media.payload, at_ms=int(media.timestamp), chunk=int(media.chunk))
            case _Frame(event="mark", mark=_Mark() as mark):
                return MarkReached(mark.name)
            case _Frame(event="start", start=_Start() as start):
                return Started(frame.stream_sid, start.call_sid, start.account_sid, start.custom_parameters)
            case _Frame(event="dtmf", dtmf=_Dtmf() as dtmf):
                return Dtmf(dtmf.digit)
            case _Frame(event="stop"):
                return Stopped()
            case _Frame(event="media" | "mark" | "start" | "dtmf" as kind):
                raise MediaProtocolError(f"a {kind} message without its {kind} part")
            case _:
                return Ignored(frame.event)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MediaProtocolError(f"unreadable media message of {len(text)} characters") from error


def media(stream_sid: str, payload: str) -> str:
    """Queue base64 µ-law for the caller's ear."""
    return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{payload}"}}}}'


def mark(stream_sid: str, name: str) -> str:
    """Ask to be told when everything queued so far has been played."""
    return f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":"{name}"}}}}'


def clear(stream_sid: str) -> str:
    """Drop everything queued; Twilio then echoes all pending marks at once."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'
