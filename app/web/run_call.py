"""From a stream that was let in to a live call, and to its folder at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from app.call.carrier import Carrier
from app.call.elsewhere.hourly import Hourly
from app.call.events import Kind
from app.call.journal.journal import Finished, JournalWriter
from app.call.live import LiveCall
from app.call.money.line_price import line_price
from app.call.money.spending import Spending
from app.call.record import CallRecord
from app.call.registry import Registry
from app.call.socket import StreamSocket
from app.call.tools.digits import CollectedDigits
from app.conf.models import PricesConf
from app.openai.prices import Prices
from app.realtime.session import RealtimeProvider
from app.timing import Deadlines
from app.twilio.media_protocol import Started
from app.web.call_tools import CallTools
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
    tools: CallTools
    prices: Callable[[], PricesConf] = PricesConf
    """What the operator says that things cost, as it is set now."""

    async def __call__(self, arrival: Arrival, socket: StreamSocket, started: Started) -> None:
        """Carry the call to its end."""

        def note(kind: Kind, **data: Any) -> None:
            call.note(kind, **data)

        digits = CollectedDigits()
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
            run_tool=self.tools.of(arrival, digits, note),
            tool_tasks=self.tools.tasks,
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
