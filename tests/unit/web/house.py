"""A web with everything behind it played by fakes that remember what was asked of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import httpx
from fastapi import FastAPI
from obstore.store import MemoryStore

from app.call.admission import Admission
from app.call.control import CallControl
from app.call.journal.voicemail import VoicemailLeft
from app.call.registry import Registry
from app.call.socket import StreamGone, StreamSocket
from app.call.status import EndReason
from app.conf.models import AgentConf, Fallback, Known, LimitsConf, NumberConf, TwilioCoreConf
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db.api_keys import KeyHolder
from app.db.engine import create_engine
from app.egress.clients import GuardedClients
from app.errors import ConfMissing, SessionUnavailable
from app.jobs.calls.archive import Archive
from app.jobs.calls.commands import CallCommands
from app.jobs.webhooks.try_webhook import try_webhook
from app.openai.client_secret import BrowserKey
from app.outbound.answered import Answered
from app.outbound.states import Progress
from app.outbound.tokens import OutboundTokens
from app.realtime.session import RealtimeSession
from app.recordings.storage import Storage
from app.timing import Deadlines
from app.tools.http.run import HttpTools
from app.twilio.media_protocol import Started
from app.twilio.recordings import Notice
from app.twilio.rest import new_client
from app.twilio.tokens import StreamTokens, Ticket
from app.web.call_news import CallNews
from app.web.deps import Arrival, Services
from app.web.lobby import Lobby
from app.web.mount import mount
from app.web.outbound import Outbound
from app.web.outside import Outside
from tests.unit.twilio.accounts import CALL, OURS, TOKEN, account, sign

ORIGIN = "https://calls.example.com"
NUMBER = "+15557654321"
CALLER = "+15551234567"
ADMIN_KEY = "parley_right"
NO_API = "http://127.0.0.1:1"
NOWHERE = "postgresql+asyncpg://parley:x@127.0.0.1:1/parley"


@dataclass
class FakeConf:
    loaded: bool = True
    fresh: bool = True
    agents: dict[str, AgentConf] = field(default_factory=lambda: {"default": AgentConf()})
    numbers: dict[str, NumberConf] = field(default_factory=lambda: {"default": NumberConf(agent="default")})
    accounts: list[TwilioCoreConf] = field(default_factory=lambda: [account()])
    most: LimitsConf = field(
        default_factory=lambda: LimitsConf(calls_per_caller=None, calls_per_caller_per_minute=None)
    )

    def agent(self, name: str) -> AgentConf:
        if name not in self.agents:
            raise ConfMissing(f"no agent/{name}")
        return self.agents[name]

    def agent_version(self, name: str) -> int:
        return 7

    def number(self, e164: str) -> NumberConf | None:
        return self.numbers.get(e164) or self.numbers.get("default")

    def twilio_accounts(self) -> list[TwilioCoreConf]:
        return self.accounts

    def limits(self) -> LimitsConf:
        return self.most


class FakeCalls:
    def __init__(self) -> None:
        self.draining = False
        self.live: set[str] = set()
        self.endings: dict[str, EndReason] = {}
        self.controls: dict[str, CallControl] = {}

    @property
    def live_count(self) -> int:
        return len(self.live)

    def is_live(self, call_sid: str) -> bool:
        return call_sid in self.live

    def control(self, call: str) -> CallControl | None:
        return self.controls.get(call)

    def ended(self, call_sid: str) -> EndReason | None:
        return self.endings.get(call_sid)

    def end(self, call_sid: str, reason: EndReason) -> None:
        if call_sid in self.live:
            self.live.remove(call_sid)
            self.endings[call_sid] = reason

    async def wait_over(self, call_sid: str) -> None:
        assert call_sid not in self.live

    async def wait_empty(self) -> None:
        assert not self.live


class FakeSession:
    """A model that opens at once, and says when it was closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def close(self) -> None:
        self.closed.set()


class Model:
    """Opens sessions, and keeps them in the order in which they were asked for."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.languages: list[str] = []
        self.trouble: Exception | None = None
        self.dials = 0
        self.opened = asyncio.Event()

    async def open(self, agent: AgentConf) -> RealtimeSession:
        self.dials += 1
        self.languages.append(agent.language)
        if self.trouble:
            raise self.trouble
        session = FakeSession()
        self.sessions.append(session)
        self.opened.set()
        return session, session  # type: ignore[return-value] # a call here needs no more of a session


@dataclass
class House:
    """The app, and everything behind it."""

    app: FastAPI
    services: Services
    conf: FakeConf
    calls: FakeCalls
    model: Model
    lobby: Lobby
    claims: set[str]
    arrivals: list[Arrival]
    notices: list[Notice]
    progress: list[Progress]
    """What was told of calls that we placed."""
    messages: list[VoicemailLeft]
    answers: list[Answered]

    def change(self, **changes: object) -> None:
        self.services = replace(self.services, **changes)  # type: ignore[arg-type] # whatever a test wants to change
        self.app.state.services = self.services

    async def post(
        self, path: str, fields: dict[str, str] | None = None, *, signature: str | None = None, origin: str = ORIGIN
    ) -> httpx.Response:
        """A webhook as Twilio would send it; `signature` instead of the right one."""
        values = webhook_fields() if fields is None else fields
        signature = sign(f"{origin}{path}", values) if signature is None else signature
        return await self.request("POST", path, data=values, headers={"X-Twilio-Signature": signature})

    async def request(self, method: str, path: str, **arguments: object) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside:8000") as client:
            return await client.request(method, path, **arguments)  # type: ignore[arg-type] # as httpx has them


def webhook_fields(**changes: str) -> dict[str, str]:
    return {
        "CallSid": CALL,
        "AccountSid": OURS,
        "From": CALLER,
        "To": NUMBER,
        "CallStatus": "ringing",
        "CallerName": "",
        "FromCity": "Zürich & Co",
    } | changes


def agent_with_fallback(**changes: object) -> AgentConf:
    return AgentConf(language="de-DE", fallback=Fallback(message="Leider nicht da.", number="+15550000001"), **changes)


async def _find_key(key: str) -> KeyHolder | None:
    return KeyHolder(UUID(int=1), "the right one", frozenset({"admin"})) if key == ADMIN_KEY else None


async def _no_browser_key(agent: AgentConf, lifetime_s: int) -> BrowserKey:
    raise SessionUnavailable("there is nobody here")


@asynccontextmanager
async def open_house(
    deadlines: Deadlines | None = None,
    carry: Callable[[Arrival, StreamSocket, Started], Awaitable[None]] | None = None,
) -> AsyncIterator[House]:
    """The app, served by nobody yet; everything it opened is closed at the end."""
    deadlines = deadlines or Deadlines()
    conf, calls, model, claims = FakeConf(), FakeCalls(), Model(), set[str]()
    arrivals: list[Arrival] = []
    notices: list[Notice] = []

    progress: list[Progress] = []

    async def progress_told(news: Progress) -> None:
        progress.append(news)

    async def recording_told(notice: Notice) -> None:
        notices.append(notice)

    messages: list[VoicemailLeft] = []
    answers: list[Answered] = []

    async def voicemail_left(news: VoicemailLeft) -> None:
        messages.append(news)

    async def picked_up(answered: Answered) -> None:
        answers.append(answered)

    async def claim(nonce: str, _ticket: Ticket) -> bool:
        fresh = nonce not in claims
        claims.add(nonce)
        return fresh

    async def listen(_arrival: Arrival, socket: StreamSocket, _started: Started) -> None:
        try:
            while True:
                await socket.receive()
        except StreamGone:
            return

    async def run_call(arrival: Arrival, socket: StreamSocket, started: Started) -> None:
        calls.live.add(arrival.call_sid)
        arrivals.append(arrival)
        try:
            await (carry or listen)(arrival, socket, started)
        finally:
            calls.live.discard(arrival.call_sid)

    engine = create_engine(NOWHERE)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    mount(app)
    async with (
        Lobby(model.open, claim_s=deadlines.claim_s) as lobby,
        new_client() as client,
        GuardedClients(timeout_s=2) as tool_clients,
    ):
        services = Services(
            public_url=ORIGIN,
            deadlines=deadlines,
            conf=conf,
            calls=calls,
            admission=Admission(max_calls=10, is_here=lambda sid: lobby.expects(sid) or sid in calls.live),
            lobby=lobby,
            tokens=StreamTokens([TOKEN], deadlines=deadlines, claim_row=claim),
            run_call=run_call,
            store=ConfStore(engine, KeyRing(["k" * 32]), Known(), Path("nowhere")),
            engine=engine,
            providers={},
            find_key=_find_key,
            browser_key=_no_browser_key,
            recording_told=recording_told,
            voicemail_left=voicemail_left,
            picked_up=picked_up,
            archive=Archive(engine, Path("nowhere")),
            storage=Storage(MemoryStore()),
            call_news=CallNews(engine),
            commands=CallCommands(engine, Registry(max_calls=1)),
            outbound=Outbound(OutboundTokens([TOKEN]), progress_told, lambda: None),
            outside=Outside(client, NO_API, NO_API, try_webhook, HttpTools(tool_clients, 2.0)),
        )
        app.state.services = services
        yield House(app, services, conf, calls, model, lobby, claims, arrivals, notices, progress, messages, answers)
