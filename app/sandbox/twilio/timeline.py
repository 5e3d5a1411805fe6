"""What happened in one rehearsed call, moment by moment, on the call's own clock."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from app.sandbox.twilio.twiml import Verb


class EndCause(StrEnum):
    """Who or what ended the call."""

    CALLER = "caller"
    REST = "rest"
    VERBS_RAN_OUT = "verbs_ran_out"
    HANGUP_VERB = "hangup_verb"
    REJECTED = "rejected"
    NOT_ANSWERED = "not_answered"
    ERROR = "error"


class StreamEnd(StrEnum):
    """Who or what ended the stream."""

    SERVER = "server"
    CARRIER = "carrier"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, in milliseconds since the call was placed."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class StatusChanged(Moment):
    status: str


@dataclass(frozen=True, slots=True)
class WebhookAnswered(Moment):
    """The server answered a webhook; `took_ms` is real time, whatever the rehearsal's speed."""

    url: str
    status: int
    took_ms: float


@dataclass(frozen=True, slots=True)
class VerbStarted(Moment):
    verb: Verb


@dataclass(frozen=True, slots=True)
class Bridged(Moment):
    """Somebody answered a `<Dial>`: the two talk."""

    number: str


@dataclass(frozen=True, slots=True)
class Dialled(Moment):
    """A `<Dial>` is over; `outcome` is its `DialCallStatus`."""

    number: str
    outcome: str


@dataclass(frozen=True, slots=True)
class StreamStarted(Moment):
    stream_sid: str


@dataclass(frozen=True, slots=True)
class StreamEnded(Moment):
    """The stream is over; `code` is the websocket's close code."""

    stream_sid: str
    by: StreamEnd
    code: int


@dataclass(frozen=True, slots=True)
class AgentStarted(Moment):
    """The caller begins to hear the agent."""


@dataclass(frozen=True, slots=True)
class AgentStopped(Moment):
    """The caller hears the agent no more: nothing was left to play, or the server sent `clear`."""

    cleared: bool


@dataclass(frozen=True, slots=True)
class MarkEchoed(Moment):
    name: str


@dataclass(frozen=True, slots=True)
class CallerStarted(Moment):
    """The caller begins to speak."""


@dataclass(frozen=True, slots=True)
class CallerStopped(Moment):
    """The caller has said everything."""


@dataclass(frozen=True, slots=True)
class KeyPressed(Moment):
    digit: str


@dataclass(frozen=True, slots=True)
class Warned(Moment):
    """What the carrier's debugger would show: one of its codes, and why."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Ended(Moment):
    cause: EndCause


@dataclass(slots=True)
class Chronicle:
    """The moments of one call, and a way to wait for them."""

    speed: float
    moments: list[Moment] = field(default_factory=list)
    _zero_s: float = field(init=False, default_factory=time.monotonic)
    _pulse: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def now_ms(self) -> float:
        """Milliseconds since the call was placed."""
        return (time.monotonic() - self._zero_s) * 1000 * self.speed

    def now(self) -> int:
        """The same in whole milliseconds, as moments carry it."""
        return int(self.now_ms())

    def add(self, moment: Moment) -> None:
        """Write it down and wake whoever waits."""
        self.moments.append(moment)
        self.pulse()

    def warn(self, code: int, text: str) -> None:
        """Write down what the carrier's debugger would show."""
        self.add(Warned(self.now(), code, text))

    def pulse(self) -> None:
        """Let everybody who waits look again."""
        self._pulse.set()
        self._pulse.clear()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return as soon as it has happened; it is asked again at every change."""
        while not happened():
            await self._pulse.wait()
