"""Recordings as the carrier makes them: the caller left and the agent right, on the call's own clock."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from app.audio import BYTES_PER_MS, SILENCE, ulaw_samples
from app.errors import CarrierFault
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.webhook import new_sid

RATE_HZ = BYTES_PER_MS * 1000
TWIML, REST, OUTBOUND = "StartCallRecordingTwiML", "StartCallRecordingAPI", "OutboundAPI"


@dataclass(frozen=True, slots=True)
class RecordingManners:
    """How recordings behave that begin from now on; by itself each is completed, told of once, and there."""

    outcome: Literal["completed", "absent", "failed"] = "completed"
    error_code: int = 0
    callback: Literal["before", "after", "never"] = "after"
    """When the last callback goes out, as seen from the call's own `completed` callback."""
    late_ms: float = 0.0
    """So long after the call's end, if it goes out after it."""
    times: int = 1
    """How often each callback goes out."""
    url: str | None = None
    """What the callback says instead of the recording's true address."""
    channels: int | None = None
    """How many the sound has, whatever was asked for."""
    missing: int = 0
    """So many requests for the sound find nothing."""
    cut: int = 0
    """So many requests for the sound get half of it."""
    elsewhere: bool = False
    """Whether the sound is kept at another host, which lets nobody in who brings credentials."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where a recording's callbacks go, and which."""

    url: str = ""
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(slots=True)
class _Pause:
    from_ms: float
    behavior: str
    until_ms: float | None = None


@dataclass(slots=True)
class SandboxRecording:
    """One recording of a call, from its start to its end."""

    call: SandboxCall
    source: str
    channels: int
    report: Report
    manners: RecordingManners
    sid: str = field(default_factory=lambda: new_sid("RE"))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_ms: float = field(init=False)
    ended_ms: float | None = None
    asked: int = 0
    """How often somebody wanted its sound."""
    _pauses: list[_Pause] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started_ms = self.call.chronicle.now_ms()

    @property
    def status(self) -> str:
        """Where it stands, in the API's words."""
        if self.ended_ms is not None:
            return self.manners.outcome
        return "paused" if self._pauses and self._pauses[-1].until_ms is None else "in-progress"

    @property
    def ms(self) -> float:
        """How long it is, or was so far, parts that a pause skipped included."""
        until_ms = self.call.chronicle.now_ms() if self.ended_ms is None else self.ended_ms
        return until_ms - self.started_ms

    @property
    def origin(self) -> str:
        """Where the real API would keep it."""
        return f"https://api.twilio.com/2010-04-01/Accounts/{self.call.network.account_sid}/Recordings/{self.sid}"

    def change(self, status: str, behavior: str = "silence") -> None:
        """Pause it, let it go on or end it; raises `CarrierFault` for anything else, and where it is over."""
        if self.ended_ms is not None:
            raise CarrierFault("The recording is over already", code=21220, status=400)
        now_ms = self.call.chronicle.now_ms()
        match status:
            case "paused" if self.status == "in-progress":
                self._pauses.append(_Pause(now_ms, behavior))
            case "in-progress" if self.status == "paused":
                self._pauses[-1].until_ms = now_ms
            case "paused" | "in-progress":
                pass
            case "stopped":
                self.end()
            case _:
                raise CarrierFault(f"Invalid recording status {status}", code=20001, status=400)

    def end(self) -> None:
        """It is over; doing so again changes nothing."""
        if self.ended_ms is None:
            self.ended_ms = self.call.chronicle.now_ms()

    def wav(self, requested_channels: int | None) -> bytes:
        """The sound as 16-bit PCM: both channels, or one with a mix of them."""
        caller, agent = (self._pcm(track) for track in (self.call.spoken, self.call.heard))
        channels = self.manners.channels or requested_channels or self.channels
        if channels == 1:
            mixed = np.clip(caller.astype(np.int32) + agent, -32768, 32767)
            return wav(mixed.astype("<i2").tobytes(), channels=1)
        return wav(np.stack([caller, agent], axis=1).astype("<i2").tobytes(), channels=2)

    def _pcm(self, track: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
        """What it has of a track of the call."""
        end_ms = self.started_ms + self.ms
        whole = bytearray(track[: int(end_ms) * BYTES_PER_MS].ljust(int(end_ms) * BYTES_PER_MS, SILENCE))
        for start, end, skipped in reversed(list(self._gaps(end_ms))):
            whole[start:end] = b"" if skipped else SILENCE * (end - start)
        codes = np.frombuffer(bytes(whole[int(self.started_ms) * BYTES_PER_MS :]), np.uint8)
        return np.array(ulaw_samples(), np.int16)[codes]

    def _gaps(self, end_ms: float) -> Iterator[tuple[int, int, bool]]:
        for pause in self._pauses:
            until_ms = end_ms if pause.until_ms is None else pause.until_ms
            yield int(pause.from_ms) * BYTES_PER_MS, int(until_ms) * BYTES_PER_MS, pause.behavior == "skip"

    def params(self, status: str) -> dict[str, str]:
        """The fields of the callback with that status."""
        params = {
            "AccountSid": self.call.network.account_sid,
            "CallSid": self.call.call_sid,
            "RecordingSid": self.sid,
            "RecordingUrl": self.manners.url or self.origin,
            "RecordingStatus": status,
            "RecordingChannels": str(self.channels),
            "RecordingStartTime": rfc2822(self.started_at),
            "RecordingSource": self.source,
            "RecordingTrack": "both",
            "ErrorCode": str(self.manners.error_code),
        }
        return params if status == "in-progress" else params | {"RecordingDuration": str(int(self.ms / 1000))}

    def as_json(self) -> dict[str, object]:
        """The recording as the API shows it."""
        path = f"/2010-04-01/Accounts/{self.call.network.account_sid}/Recordings/{self.sid}"
        over = self.ended_ms is not None
        return {
            "sid": self.sid,
            "account_sid": self.call.network.account_sid,
            "api_version": "2010-04-01",
            "call_sid": self.call.call_sid,
            "conference_sid": None,
            "status": self.status,
            "source": self.source,
            "channels": self.channels,
            "track": "both",
            "duration": str(int(self.ms / 1000)) if over else "-1",
            "start_time": rfc2822(self.started_at),
            "date_created": rfc2822(self.started_at),
            "date_updated": rfc2822(self.started_at + timedelta(milliseconds=self.ms)),
            "error_code": self.manners.error_code or None,
            "encryption_details": None,
            "price": None,
            "price_unit": "USD",
            "uri": f"{path}.json",
            "media_url": self.origin,
            "subresource_uris": {
                "add_on_results": f"{path}/AddOnResults.json",
                "transcriptions": f"{path}/Transcriptions.json",
            },
        }


def wav(pcm: bytes, *, channels: int) -> bytes:
    """16-bit PCM at the phone's rate as a WAV file."""
    align = 2 * channels
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE_HZ, align * RATE_HZ, align, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(pcm)) + pcm
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def rfc2822(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.strftime("%a, %d %b %Y %H:%M:%S +0000")
