"""What can be made to go wrong with one connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.sandbox.openai.sound import Format


@dataclass(frozen=True, slots=True)
class Faults:
    """One connection's misfortunes; none by default. Times are real milliseconds at `speed` 1."""

    refuse_status: int | None = None
    """The handshake is answered with this HTTP status."""
    retry_after_s: int | None = None
    """Sent as `retry-after` with `refuse_status`."""
    hang_before: Literal["handshake", "session.created", "session.updated"] | None = None
    """From there on nothing comes any more, while the socket stays open."""
    stall_after_events: int | None = None
    """So many events are sent, then none, while the socket stays open."""
    close_after_ms: float | None = None
    """The socket closes so long after the handshake."""
    close_after_events: int | None = None
    """The socket closes after so many events."""
    close_code: int = 1011
    """How it closes; 1006 cuts the connection without a goodbye."""
    junk: tuple[str, ...] = ()
    """Frames, whatever they hold, sent right after `session.created`."""
    refuse_update: str | None = None
    """Every `session.update` is answered by an `error` with this code."""
    refuse_param: str | None = None
    """With `refuse_update`: only an update that holds this field, like `session.audio.input.noise_reduction`."""
    override: Mapping[str, Any] | None = None
    """The session has these fields whatever was asked, and `session.updated` says so."""
    echo_format: Format | None = None
    """Audio is spoken in this format whatever was asked, and `session.updated` says so."""


NO_FAULTS = Faults()
