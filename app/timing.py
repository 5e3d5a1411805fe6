"""How long we wait, and the clock we wait by."""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

Clock = Callable[[], float]
"""Monotonic milliseconds."""


def clock(speed: float = 1.0) -> Clock:
    """A monotonic clock in milliseconds that runs `speed` times as fast as real time (rehearsals are sped up)."""
    return lambda: time.monotonic() * 1000 * speed


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Every time limit of a call, in seconds of real time. Built in `main`, passed to whoever waits."""

    start_s: float = 5.0
    """A media socket must send a valid `start` within this."""
    claim_s: float = 15.0
    """A session opened at the webhook is closed when no stream claims it within this."""
    token_s: float = 60.0
    """A stream token's life."""
    session_s: float = 4.0
    """A session must be ready within this, all tries together."""
    connect_s: float = 3.0
    """One try to connect to the model."""
    ping_s: float = 5.0
    """How often the model's end of a session is asked for a sign of life."""
    pong_s: float = 8.0
    """It must give one within this, or the session is lost: to a line that is dead, sending succeeds for minutes."""
    goodbye_s: float = 10.0
    """The goodbye must have been heard within this; then we hang up all the same."""
    media_idle_s: float = 10.0
    """A stream without a single frame for this long is dead."""
    tool_s: float = 10.0
    """A tool must answer within this."""
    claim_row_s: float = 0.2
    """The database may take this long to say whether another replica used the token."""
    carrier_s: float = 3.0
    """One REST request to the carrier."""
    expiring_s: float = 300.0
    """A session tells this long before its provider ends it."""
    rollover_s: float = 120.0
    """A session is replaced at the latest this long before its provider ends it."""
    close_s: float = 0.5
    """A peer may take this long to say goodbye to a socket."""
    recording_poll_s: float = 120.0
    """A carrier that has not said by now what became of a call's recording is asked."""
    tick_s: float = 0.25
    """How often a call looks at its own deadlines."""
    journal_s: float = 1.0
    """How often what happened is written to disk."""

    speed: float = 1.0
    """How many times as fast as real time the call's own clock runs."""

    def at_speed(self, speed: float) -> "Deadlines":
        """The same limits for a rehearsal whose clock runs `speed` times as fast."""
        limits = {field.name: getattr(self, field.name) / speed for field in fields(self) if field.name != "speed"}
        return replace(self, speed=speed, **limits)

    def ms(self, limit_s: float) -> float:
        """One of these limits in milliseconds of the call's clock."""
        return limit_s * 1000 * self.speed
