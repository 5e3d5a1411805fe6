"""What can be made to go wrong with one connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.openai.sound import Format

SESSION_SECONDS = 3600
HANDSHAKE = "handshake"


@dataclass(frozen=True, slots=True)
class Faults:
    """One connection's misfortunes; none by default. Times are real milliseconds at `speed` 1."""

    # The handshake
    refuse_status: int | None = None
    """The handshake is answered with this HTTP status."""
    retry_after_s: int | None = None
    """Sent as `retry-after` with `refuse_status`."""
    refuse_in_band: str | None = None
    """The handshake succeeds, then comes an `error` with this code, like `invalid_api_key`, and the socket closes."""

    # The connection
    hang_before: str | None = None
    """Nothing comes any more instead of this event (or the `handshake`), while the socket stays open."""
    stall_after_events: int | None = None
    """So many events are sent, then none, while the socket stays open."""
    close_after_ms: float | None = None
    """The socket closes so long after the handshake."""
    close_after_events: int | None = None
    """The socket closes after so many events."""
    close_code: int = 1011
    """How it closes; 1006 cuts the connection without a goodbye."""
    session_seconds: float = SESSION_SECONDS
    """How long a session may last before it expires; real seconds at any `speed`, as `expires_at` is one."""
    junk: tuple[str, ...] = ()
    """Frames, whatever they hold, sent right after `session.created`."""
    doubled: frozenset[str] = frozenset()
    """Events of these types are sent twice."""

    # The configuration
    refuse_update: str | None = None
    """Every `session.update` is answered by an `error` with this code."""
    refuse_param: str | None = None
    """With `refuse_update`: only an update that holds this field, like `session.audio.input.noise_reduction`."""
    refuse_times: int | None = None
    """With `refuse_update`: only so many times."""
    override: Mapping[str, Any] | None = None
    """The session has these fields whatever was asked, and `session.updated` says so."""
    echo_format: Format | None = None
    """Audio is spoken in this format whatever was asked, and `session.updated` says so."""

    # What is heard and said
    transcription_failure: str | None = None
    """Every input transcription fails with this code."""
    late_transcription: bool = False
    """An input transcription comes after the answer to what it transcribes."""
    late_deltas: int = 0
    """So many audio deltas of a response still come after it was cancelled."""
    crossed_creates: frozenset[int] = frozenset()
    """These `response.create`, counted from 0, cross with a response that the server has just begun by itself."""


NO_FAULTS = Faults()
