"""One place wires the house: what must be open is opened here, in order, and closed in reverse."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version

import httpx
import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app import logs
from app.background import background
from app.call.admission import Admission
from app.call.elsewhere.hourly import Hourly
from app.call.journal.journal import JournalWriter, Listener
from app.call.registry import Registry
from app.call.status import EndReason
from app.conf.models import AgentConf
from app.conf.opening import open_store
from app.conf.store import ConfStore
from app.db import api_keys, calls
from app.db.commands import purge_commands
from app.db.engine import db_session
from app.errors import DatabaseError, ParleyError
from app.introduction import introduce
from app.jobs.calls.archive import Archive
from app.jobs.calls.commands import CallCommands
from app.jobs.calls.ingest import Ingest, save_rows
from app.jobs.calls.live_copy import LiveCopy, save_live
from app.jobs.calls.pickups import Pickups
from app.jobs.calls.spend import SpendReader
from app.jobs.calls.voicemail import Voicemails
from app.jobs.calls.watch import Watch
from app.jobs.outbound.opt_outs import OptOuts
from app.jobs.recordings.own_recording import OwnRecordings
from app.jobs.recordings.twilio_callbacks import TwilioCallbacks
from app.jobs.webhooks.try_webhook import try_webhook
from app.known import known
from app.openai.client_secret import BrowserKey, create_browser_key
from app.openai.realtime import OpenAIProvider
from app.openai.transcription import Transcriber, use
from app.realtime.session import RealtimeProvider, RealtimeSession
from app.settings import Settings
from app.timing import Deadlines
from app.tools.python.load import load_functions
from app.twilio.rest import new_client
from app.twilio.tokens import StreamTokens, Ticket
from app.web.call_news import CallNews
from app.web.deps import Services
from app.web.lobby import Lobby
from app.web.mount import mount
from app.web.outside import Outside
from app.web.remembered_keys import RememberedKeys
from app.web.run_call import RunCall
from app.wiring import open_jobs
from app.wiring_outbound import open_outbound
from app.wiring_tools import open_tools
from app.wiring_twilio import TwilioAccess

CLAIMS_KEPT = timedelta(hours=1)
COMMANDS_KEPT = timedelta(days=1)
ADMIN_KEY_S = 2.0
FINISH_S = 1.0
"""At the end, calls that are over may take this long to reach the database; later ones do so at the next start."""

_log = structlog.get_logger(__name__)


def create_app(
    settings: Settings | None = None,
    *,
    deadlines: Deadlines = Deadlines(),  # noqa: B008 (a frozen value)
    listeners: Sequence[Listener] = (),
) -> FastAPI:
    """The server. Without settings it reads the environment; raises `SettingsError` when that is wrong.

    Each listener is told of every event of every call as it happens; it runs in the event loop and must not block.
    """
    settings = settings or Settings.load()
    logs.configure(level=settings.log_level, form=settings.log_format)
    registry = Registry(max_calls=settings.max_calls)
    app = FastAPI(
        title="Parley",
        summary="A phone number that answers with an AI agent.",
        version=version("parley"),
        lifespan=lambda app: _lifespan(app, settings, registry, deadlines, listeners),
        openapi_url=None,  # web.docs serves it, to those who have a key
        separate_input_output_schemas=False,  # one name for one thing
    )
    app.state.registry = registry
    app.state.answered_calls = AnsweredCalls(app, registry)
    mount(app)
    return app


@asynccontextmanager
async def _lifespan(
    app: FastAPI, settings: Settings, registry: Registry, deadlines: Deadlines, listeners: Sequence[Listener]
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            ingest = await _open(
                app, stack, settings=settings, registry=registry, deadlines=deadlines, listeners=listeners
            )
        except ParleyError as error:
            _log.error("cannot_start", reason=str(error))
            raise
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await ingest.finish()


async def _open(
    app: FastAPI,
    stack: AsyncExitStack,
    *,
    settings: Settings,
    registry: Registry,
    deadlines: Deadlines,
    listeners: Sequence[Listener],
) -> Ingest:
    """Open everything that a call needs; the stack closes it in reverse."""
    functions = load_functions(settings.tools_folder)
    functions.say()
    opened = await stack.enter_async_context(open_store(settings, known(functions, settings.max_calls)))
    providers = _providers(opened.store, settings, deadlines)
    client = await stack.enter_async_context(new_client())
    twilio = TwilioAccess(opened.store, client, settings.twilio_api_base_url, deadlines.carrier_s)
    transcriber = Transcriber(
        client, opened.store.openai, settings.openai_transcription_url, prices=opened.store.prices
    )
    stack.enter_context(use(transcriber))
    live_copy = LiveCopy(partial(save_live, opened.engine))
    call_news = CallNews(opened.engine)
    # asked only when all is open
    admission = Admission(
        max_calls=registry.max_calls, is_here=lambda call_sid: lobby.expects(call_sid) or registry.carries(call_sid)
    )
    commands = CallCommands(opened.engine, registry)
    watch = Watch(opened.engine, opened.store, known(functions))
    journals = JournalWriter(
        settings.data_dir / "calls",
        period_s=deadlines.journal_s,
        listeners=(*listeners, live_copy, watch.listen, admission.listen),
    )
    context = await stack.enter_async_context(open_jobs(settings, opened, deadlines))
    own = OwnRecordings(opened.engine, opened.store, context.storage)
    ingest = Ingest(journals.root, partial(save_rows, opened.engine, opened.store, deadlines.recording_poll_s), own)
    callbacks = TwilioCallbacks(settings.data_dir, opened.engine)
    opt_outs = OptOuts(settings.data_dir, opened.engine)
    voicemails = Voicemails(settings.data_dir, opened.engine, opened.store, poll_after_s=deadlines.recording_poll_s)
    tools = await stack.enter_async_context(
        open_tools(opened, twilio, functions, opted_out=opt_outs.take, deadlines=deadlines)
    )
    await stack.enter_async_context(
        background(
            opened.store.listen,
            journals.run,
            ingest.run,
            callbacks.run,
            opt_outs.run,
            voicemails.run,
            live_copy.run,
            call_news.run,
            commands.run,
            watch.run,
            SpendReader(opened.engine, admission.spend).run,
            partial(_tidy, opened.engine),
        )
    )
    lobby = await stack.enter_async_context(Lobby(partial(_open_session, providers), claim_s=deadlines.claim_s))
    outbound = await stack.enter_async_context(open_outbound(settings, opened, context, registry, lobby))
    app.state.services = Services(
        public_url=settings.public_url,
        deadlines=deadlines,
        conf=opened.store,
        calls=registry,
        admission=admission,
        lobby=lobby,
        tokens=StreamTokens(
            [key.hex() for key in opened.key_ring.signing_keys],
            deadlines=deadlines,
            claim_row=partial(_claim, opened.engine),
        ),
        run_call=RunCall(
            providers=providers,
            carrier=twilio.carrier,
            dial_prefixes=twilio.dial_prefixes,
            transfers=Hourly(lambda: opened.store.limits().transfers_per_hour),
            journals=journals,
            registry=registry,
            deadlines=deadlines,
            finished=ingest.add,
            tools=tools,
            prices=opened.store.prices,
        ),
        store=opened.store,
        engine=opened.engine,
        providers=providers,
        find_key=RememberedKeys(partial(_find_key, opened.engine)),
        browser_key=_browser_key(opened.store, client, base_url=settings.openai_base_url, within_s=deadlines.connect_s),
        recording_told=callbacks.take,
        voicemail_left=voicemails.take,
        picked_up=Pickups(opened.engine, registry, commands, twilio.carrier).take,
        archive=Archive(opened.engine, journals.root),
        storage=context.storage,
        call_news=call_news,
        commands=commands,
        outbound=outbound,
        outside=Outside(client, settings.twilio_api_base_url, settings.openai_base_url, try_webhook, tools.http),
    )
    await introduce(opened, settings)
    _warm_up(providers)
    return ingest


class AnsweredCalls:
    """The calls of an app as a server that stops sees them: live ones, and those whose stream is still on its way."""

    def __init__(self, app: FastAPI, registry: Registry) -> None:
        self._app = app
        self._registry = registry

    @property
    def draining(self) -> bool:
        """Whether new calls are turned away."""
        return self._registry.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._registry.draining = value

    async def wait_empty(self) -> None:
        """Return when none is left."""
        await self._app.state.services.wait_empty()

    async def say_goodbye(self) -> None:
        """End every call that still lives, in words."""
        self._registry.end_all(EndReason.DRAINED)


def _providers(store: ConfStore, settings: Settings, deadlines: Deadlines) -> Mapping[str, RealtimeProvider]:
    return {"openai": OpenAIProvider(store.openai, settings.openai_realtime_base_url, deadlines)}


def _warm_up(providers: Mapping[str, RealtimeProvider]) -> None:
    """Pay before the first call what it would pay otherwise, and keep the collector off what stays for ever."""
    for provider in providers.values():
        provider.warm_up()
    gc.collect()
    gc.freeze()


async def _open_session(providers: Mapping[str, RealtimeProvider], agent: AgentConf) -> RealtimeSession:
    return await providers[agent.provider].open(agent)


async def _claim(engine: AsyncEngine, nonce: str, _ticket: Ticket) -> bool:
    async with db_session(engine) as db:
        return await calls.claim_token(db, nonce)


async def _tidy(engine: AsyncEngine) -> None:
    """Forget, now and then, the claims of tokens that nobody can use any more, and the commands to calls of old."""
    while True:
        with contextlib.suppress(DatabaseError):
            async with db_session(engine) as db:
                await calls.purge_claims(db, CLAIMS_KEPT)
                await purge_commands(db, COMMANDS_KEPT)
        await asyncio.sleep(CLAIMS_KEPT.total_seconds())


def _browser_key(
    store: ConfStore, client: httpx.AsyncClient, *, base_url: str, within_s: float
) -> Callable[[AgentConf, int], Awaitable[BrowserKey]]:
    async def create(agent: AgentConf, lifetime_s: int) -> BrowserKey:
        account = store.openai(agent.account)
        return await create_browser_key(
            client, account, agent, base_url=base_url, lifetime_s=lifetime_s, within_s=within_s
        )

    return create


async def _find_key(engine: AsyncEngine, key: str) -> api_keys.KeyHolder | None:
    try:
        async with asyncio.timeout(ADMIN_KEY_S), db_session(engine) as db:
            return await api_keys.verify(db, key)
    except TimeoutError:
        raise DatabaseError("the database does not answer") from None
