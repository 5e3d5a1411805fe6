"""From a stream that was let in to a live call, and to its folder at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from app.call.carrier import Carrier
from app.call.digits import CollectedDigits
from app.call.events import Kind
from app.call.hidden_numbers import shown
from app.call.hourly import Hourly
from app.call.journal import Finished, JournalWriter
from app.call.line_price import line_price
from app.call.live import LiveCall
from app.call.record import CallRecord
from app.call.registry import Registry
from app.call.socket import StreamSocket
from app.call.spending import Spending
from app.call.tool_calls import Handler
from app.call.tool_tasks import ToolTasks
from app.conf.models import FunctionTool, HttpTool, OptOutTool, PricesConf, PythonTool
from app.openai.prices import Prices
from app.outbound.opting_out import OptedOut
from app.realtime.session import RealtimeProvider
from app.timing import Deadlines
from app.tools.http.run import CallContext, HttpTools
from app.tools.opt_out import KeepOptOut, opt_out
from app.tools.python.context import ToolContext
from app.tools.python.load import PythonFunctions
from app.tools.python.run import run_python
from app.tools.toolbox import Toolbox
from app.twilio.media_protocol import Started
from app.web.built_in import BuiltIn
from app.web.deps import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCall:
    """Carries each call with what the process has; see `CallRunner`."""

    providers: Mapping[str, RealtimeProvider]
    carrier: Callable[[str], Carrier]
    """REST access to a Twilio account, by its sid."""
    dial_prefixes: Callable[[str], Sequence[str]]
    """Where calls of a Twilio account may be transferred, by its sid, as it is set now."""
    transfers: Hourly
    """Counts the transfers of all calls."""
    journals: JournalWriter
    registry: Registry
    deadlines: Deadlines
    finished: Finished
    opted_out: KeepOptOut
    built_in: BuiltIn
    tools: Mapping[type[FunctionTool], Handler]
    """Handlers that are the same for every call."""
    http_tools: HttpTools
    functions: PythonFunctions
    """The operator's own."""
    tool_tasks: ToolTasks
    """Those of all calls; what shall finish after a call does so there."""
    prices: Callable[[], PricesConf] = PricesConf
    """What the operator says that things cost, as it is set now."""

    async def __call__(self, arrival: Arrival, socket: StreamSocket, started: Started) -> None:
        """Carry the call to its end."""

        def note(kind: Kind, **data: Any) -> None:
            call.note(kind, **data)

        wish = OptedOut(number=arrival.party, agent=arrival.agent_name, call_id=arrival.call_id)
        digits = CollectedDigits()
        ask = self.http_tools.handler(call_context(arrival, digits))
        own_code = partial(run_python, self.functions, tool_context(arrival))
        toolbox = Toolbox(
            {
                OptOutTool: partial(opt_out, wish, self.opted_out),
                HttpTool: digits.guard(ask),
                PythonTool: own_code,
                **self.built_in.handlers(arrival, note),
                **self.tools,
            }
        )
        call = LiveCall(
            self._record(arrival),
            arrival.agent,
            socket=socket,
            stream_sid=started.stream_sid,
            fallback_number=arrival.fallback_number,
            voicemail_url=arrival.voicemail_url,
            open_session=arrival.session,
            sessions_of=lambda agent: partial(self.providers[agent.provider].open, agent),
            find_colleague=arrival.find_colleague,
            run_tool=toolbox,
            tool_tasks=self.tool_tasks,
            digits=digits,
            carrier=self.carrier(arrival.account_sid),
            ways=arrival.ways,
            transfers=self.transfers,
            dial_prefixes=partial(self.dial_prefixes, arrival.account_sid),
            journals=self.journals,
            registry=self.registry,
            deadlines=self.deadlines,
            finished=self.finished,
            spending=self._spending(arrival),
            first_notes=arrival.notes,
        )
        await call.run()

    def _spending(self, arrival: Arrival) -> Spending:
        own = self.prices()
        line = line_price(arrival.direction, arrival.to_number, own.telephony)
        return Spending(Prices(own), line, before_usd=self.registry.spent_usd(arrival.call_sid))

    def _record(self, arrival: Arrival) -> CallRecord:
        return CallRecord(
            id=arrival.call_id,
            call_sid=arrival.call_sid,
            attempt=arrival.attempt,
            account_sid=arrival.account_sid,
            from_number=arrival.from_number,
            to_number=arrival.to_number,
            direction=arrival.direction,
            agent=arrival.agent_name,
            agent_version=arrival.agent_version,
            started_at=datetime.now(UTC),
            session=self.providers[arrival.agent.provider].compile(arrival.agent),
            recording=self._recording(arrival),
        )

    def _recording(self, arrival: Arrival) -> Literal["off", "on", "declined"]:
        if arrival.agent.recording.source == "none":
            return "off"
        return "declined" if self.registry.wished(arrival.call_sid) == "declined" else "on"


def call_context(arrival: Arrival, digits: CollectedDigits) -> CallContext:
    """What web tools are told of the call."""
    return CallContext(
        id=arrival.call_id,
        caller=shown(arrival.from_number),
        called=arrival.to_number,
        agent=arrival.agent_name,
        digits=digits,
    )


def tool_context(arrival: Arrival) -> ToolContext:
    """What Python tools are told of the call."""
    return ToolContext(
        call_id=arrival.call_id,
        caller=shown(arrival.from_number),
        called=arrival.to_number,
        agent=arrival.agent_name,
    )
