"""One place wires the house: what must be open is opened here, in order, and closed in reverse."""

import asyncio
import contextlib
import gc
import sys
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
from app.call.carrier import Carrier
from app.call.hourly import Hourly
from app.call.journal import JournalWriter, Listener
from app.call.registry import Registry
from app.call.status import EndReason
from app.call.tool_tasks import ToolTasks
from app.conf.models import AgentConf, Known, QueryKnowledgeTool
from app.conf.opening import Opened, open_store
from app.conf.seed import first_admin_key
from app.conf.store import ConfStore
from app.db import api_keys, calls
from app.db.commands import purge_commands
from app.db.engine import db_session
from app.egress.clients import GuardedClients
from app.errors import DatabaseError, ParleyError
from app.jobs.archive import Archive
from app.jobs.commands import CallCommands
from app.jobs.ingest import Ingest, save_rows
from app.jobs.live_copy import LiveCopy, save_live
from app.jobs.opt_outs import OptOuts
from app.jobs.own_recording import OwnRecordings
from app.jobs.pickups import Pickups
from app.jobs.spend import SpendReader
from app.jobs.try_webhook import try_webhook
from app.jobs.twilio_callbacks import TwilioCallbacks
from app.jobs.voicemail import Voicemails
from app.jobs.watch import Watch
from app.openai.client_secret import BrowserKey, create_browser_key
from app.openai.realtime import OpenAIProvider
from app.openai.rules import OPENAI_RULES
from app.openai.transcription import Transcriber, use
from app.realtime.session import RealtimeProvider, RealtimeSession
from app.settings import CONTAINER_SECRETS, Settings
from app.timing import Deadlines
from app.tools.http.run import LONGEST_S, HttpTools
from app.tools.knowledge import query_knowledge
from app.tools.python.load import PythonFunctions, load_functions
from app.tools.send_sms import Send
from app.twilio.rest import account_rest, new_client
from app.twilio.rest_messages import MessagesRest
from app.twilio.tokens import StreamTokens, Ticket
from app.web.built_in import BuiltIn
from app.web.call_news import CallNews
from app.web.deps import Services
from app.web.lobby import Lobby
from app.web.mount import mount
from app.web.outside import Outside
from app.web.remembered_keys import RememberedKeys
from app.web.run_call import RunCall
from app.wiring import open_jobs
from app.wiring_outbound import open_outbound

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
    http_tools = HttpTools(await stack.enter_async_context(GuardedClients(timeout_s=LONGEST_S)), deadlines.tool_s)
    tool_tasks = await stack.enter_async_context(ToolTasks())
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
    carrier = partial(_carrier, opened.store, client, settings.twilio_api_base_url, deadlines.carrier_s)
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
            carrier=carrier,
            dial_prefixes=partial(_dial_prefixes, opened.store),
            transfers=Hourly(lambda: opened.store.limits().transfers_per_hour),
            journals=journals,
            registry=registry,
            deadlines=deadlines,
            finished=ingest.add,
            opted_out=opt_outs.take,
            built_in=BuiltIn(
                number=opened.store.number,
                send_sms=partial(_send_sms, opened.store, client, settings.twilio_api_base_url, deadlines.carrier_s),
            ),
            http_tools=http_tools,
            functions=functions,
            tool_tasks=tool_tasks,
            tools={QueryKnowledgeTool: partial(query_knowledge, opened.engine, tool_tasks)},
            prices=opened.store.prices,
        ),
        store=opened.store,
        engine=opened.engine,
        providers=providers,
        find_key=RememberedKeys(partial(_find_key, opened.engine)),
        browser_key=_browser_key(opened.store, client, base_url=settings.openai_base_url, within_s=deadlines.connect_s),
        recording_told=callbacks.take,
        voicemail_left=voicemails.take,
        picked_up=Pickups(opened.engine, registry, commands, carrier).take,
        archive=Archive(opened.engine, journals.root),
        storage=context.storage,
        call_news=call_news,
        commands=commands,
        outbound=outbound,
        outside=Outside(client, settings.twilio_api_base_url, settings.openai_base_url, try_webhook, http_tools),
    )
    await _introduce(opened, settings)
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


def known(functions: PythonFunctions | None = None, max_calls: int | None = None) -> Known:
    """What this build can do, as configuration is checked against it, with the Python functions where they matter."""
    return Known(
        providers={"openai": OPENAI_RULES}, functions=functions.known if functions else None, max_calls=max_calls
    )


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


def _carrier(store: ConfStore, client: httpx.AsyncClient, base_url: str, carrier_s: float, account_sid: str) -> Carrier:
    """REST access to the account that a call came from."""
    return account_rest(store.twilio_accounts(), account_sid, client, base_url=base_url, carrier_s=carrier_s)


def _send_sms(store: ConfStore, client: httpx.AsyncClient, base_url: str, carrier_s: float, account_sid: str) -> Send:
    """Text messages from the account that a call came from."""

    async def send(to: str, from_: str, text: str) -> str:
        rest = account_rest(store.twilio_accounts(), account_sid, client, base_url=base_url, carrier_s=carrier_s)
        return await MessagesRest(rest).send(to, from_, text)

    return send


def _dial_prefixes(store: ConfStore, account_sid: str) -> Sequence[str]:
    """Where calls of that account may be transferred; nowhere, where it is none of ours."""
    accounts = [account for account in store.twilio_accounts() if account.account_sid == account_sid]
    return [prefix for account in accounts for prefix in account.allowed_dial_prefixes]


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


async def _introduce(opened: Opened, settings: Settings) -> None:
    """Say what a first user wants to know, and what is not ready yet."""
    with contextlib.suppress(DatabaseError):  # it is away: the first key is older than this start
        if key := await first_admin_key(opened.engine, settings.admin_api_key):
            _say(f"The first admin key, shown this once: {key}")
    if settings.public_url is None:
        contained = CONTAINER_SECRETS.is_dir()
        shown = f"docker compose exec app cat {CONTAINER_SECRETS}/admin_api_key"
        _say(
            "Parley is up, but no phone call can reach it yet.\n"
            f"  admin key:  {shown if contained else 'shown once, at the first start; or your ADMIN_API_KEY'}\n"
            f"  interface:  http://127.0.0.1:{settings.port}/docs{' (or the PORT of your .env)' if contained else ''}\n"
            "  real calls: need PUBLIC_URL, the https address at which Twilio reaches this server (see README.md)\n"
            f"  next:       write PUBLIC_URL into .env, then: {'docker compose up' if contained else 'make run'}"
        )
    for warning in opened.store.warnings():
        _log.warning("not_ready", reason=warning)
    for name, agent in opened.store.agents().items():
        for _, function in agent.missing_functions:
            _log.warning("not_ready", reason=f"agent/{name} goes without a tool: no Python function {function}")


def _say(text: str) -> None:
    """Words for the person who starts the server, past the log: it would mask keys and fold lines."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
