"""What the web asks of the rest of the house, handed to the routes as one value."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from app.call.admission import Admission
from app.call.commands import Command, Outcome
from app.call.control import CallControl
from app.call.elsewhere.away import Ways
from app.call.events import Kind
from app.call.journal.voicemail import VoicemailLeft
from app.call.legs.colleague import Colleague
from app.call.socket import StreamSocket
from app.call.status import EndReason
from app.conf.models import AgentConf, LimitsConf, NumberConf, TwilioCoreConf
from app.conf.store import ConfStore
from app.db.api_keys import KeyHolder
from app.db.audit import Actor
from app.db.tables import Recording
from app.logs import Seldom
from app.openai.client_secret import BrowserKey
from app.outbound.answered import Answered
from app.realtime.session import RealtimeProvider, RealtimeSession
from app.recordings.storage import Storage
from app.timing import Deadlines
from app.twilio.media_protocol import Started
from app.twilio.recordings import Notice
from app.twilio.tokens import StreamTokens
from app.web.bad_keys import BadKeys
from app.web.call_news import CallNews
from app.web.lobby import Lobby
from app.web.outbound import Outbound
from app.web.outside import Outside
from app.web.precall import Precalls


class Conf(Protocol):
    """The snapshot of what the operator set. Reads raise `ConfError` for a row that is missing or unreadable."""

    @property
    def loaded(self) -> bool:
        """Whether there is a snapshot at all."""

    @property
    def fresh(self) -> bool:
        """Whether the database is there."""

    def agent(self, name: str) -> AgentConf: ...

    def agent_version(self, name: str) -> int: ...

    def number(self, e164: str) -> NumberConf | None:
        """Who answers that number: its own row, else `default`, else None."""

    def twilio_accounts(self) -> list[TwilioCoreConf]: ...

    def limits(self) -> LimitsConf:
        """How much callers may use up."""


class LiveCalls(Protocol):
    """The calls that this process carries."""

    @property
    def live_count(self) -> int: ...

    @property
    def draining(self) -> bool:
        """Whether no new calls are taken."""

    def is_live(self, call_sid: str) -> bool: ...

    def ended(self, call_sid: str) -> EndReason | None:
        """How a call of this process ended; None when it lives or was never here."""

    def control(self, call: str) -> CallControl | None:
        """The live call of that call sid, or of our own id; None where it is not here, or is ending."""

    def end(self, call_sid: str, reason: EndReason) -> None:
        """End a live call; one that is over already is left alone."""

    async def wait_over(self, call_sid: str) -> None:
        """Return when that call is not live."""

    async def wait_empty(self) -> None:
        """Return when no call is live."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call whose stream was let in: who is on the line, who answers, and where its session comes from."""

    call_id: str
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    agent_name: str
    agent: AgentConf
    agent_version: int
    fallback_number: str | None
    attempt: int
    """How often this phone call lost its stream before; each attempt has a `call_id` of its own."""
    session: Callable[[], Awaitable[RealtimeSession]]
    """The session, as soon as it is open; raises what kept it from opening (`SessionUnavailable` as a rule)."""
    ways: Ways
    """How the caller comes back from elsewhere."""
    find_colleague: Callable[[str], Colleague]
    """Another agent that may take the call over, as it is now; raises `ConfError`."""
    direction: Literal["inbound", "outbound"] = "inbound"
    voicemail_url: str | None = None
    """Where the caller may leave a message if no agent can talk."""
    notes: Sequence[tuple[Kind, Mapping[str, Any]]] = ()
    """What happened before the stream came, for the call's journal."""

    @property
    def party(self) -> str:
        """The number at the other end: who called, or whom we called."""
        return self.from_number if self.direction == "inbound" else self.to_number

    @property
    def ours(self) -> str:
        """The number at this end."""
        return self.to_number if self.direction == "inbound" else self.from_number


class CallRunner(Protocol):
    async def __call__(self, arrival: Arrival, socket: StreamSocket, started: Started) -> None:
        """Carry the call to its end; it is live in the registry before the first `await`."""


class Gone(Protocol):
    """What a deletion did."""

    @property
    def calls(self) -> int: ...

    @property
    def recordings(self) -> int: ...

    @property
    def live(self) -> int:
        """Calls that go on, and were left alone."""


class Archive(Protocol):
    """Calls that are over, with all that is kept of them."""

    async def delete_call(self, call_id: UUID, who: Actor) -> Gone | None:
        """Delete one; None where there is none. Raises `CallIsLive`."""

    async def delete_calls_with(self, number: str, who: Actor) -> Gone:
        """Delete all with that party."""

    async def transcribe_again(self, recording: Recording, who: Actor) -> None:
        """Have a stored recording written down once more."""


class Commands(Protocol):
    """Live calls, whichever process carries them."""

    async def order(self, call_id: UUID, command: Command, who: Actor) -> Outcome:
        """Have the call do it, and say what came of it.

        Raises `CommandRefused`, `CallNotLive`, `CallUnknown`, `CallSilent` where the process that carries the call does
        not answer, or `DatabaseError` where nobody can tell which one does.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may need; lives in `app.state.services`."""

    public_url: str | None
    deadlines: Deadlines
    conf: Conf
    calls: LiveCalls
    admission: Admission
    lobby: Lobby
    tokens: StreamTokens
    run_call: CallRunner
    store: ConfStore
    """Where the API reads and writes configuration."""
    engine: AsyncEngine
    """The database, for the API; calls wait for none."""
    providers: Mapping[str, RealtimeProvider]
    find_key: Callable[[str], Awaitable[KeyHolder | None]]
    """The holder of that API key, where it is valid; raises `DatabaseError` when nobody can tell."""
    recording_told: Callable[[Notice], Awaitable[None]]
    """Keeps what Twilio tells of a recording; raises `DatabaseError` where it can be kept nowhere."""
    voicemail_left: Callable[[VoicemailLeft], Awaitable[None]]
    """Keeps what is known of a message that a caller has left; raises as above."""
    picked_up: Callable[[Answered], Awaitable[None]]
    """Lets what is due follow when Twilio says who picked up a call that we placed; never raises."""
    browser_key: Callable[[AgentConf, int], Awaitable[BrowserKey]]
    """A key that opens sessions as that agent for so many seconds; raises `ConfMissing` or `SessionUnavailable`."""
    archive: Archive
    storage: Storage
    call_news: CallNews
    commands: Commands
    outside: Outside
    outbound: Outbound
    precalls: Precalls = field(default_factory=Precalls)
    bad_keys: BadKeys = field(default_factory=BadKeys)
    refusals: Seldom = field(default_factory=Seldom)
    """At most one log line in ten seconds about requests that were refused."""

    @property
    def stream_url(self) -> str:
        """Where Twilio opens the media socket."""
        return f"ws{(self.public_url or '').removeprefix('http')}/twilio/media"

    async def wait_empty(self) -> None:
        """Return when no call is live and none that we answered is still to bring its stream."""
        while self.lobby.waiting or self.calls.live_count:
            await self.lobby.wait_empty()
            await self.calls.wait_empty()


def services(connection: HTTPConnection) -> Services:
    """The services of the app that serves this request or websocket."""
    found = connection.app.state.services
    assert isinstance(found, Services)  # noqa: S101 - tells the type checker what `main` has put there
    return found
