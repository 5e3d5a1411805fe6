"""Whether one more call is taken: how many there are, of whom, for which agent, how fast they come, what they cost."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from app.call.events import CallEvent, Kind
from app.call.hidden_numbers import shown
from app.call.money.day_spend import DaySpend
from app.call.record import CallRecord
from app.conf.models import LimitsConf

A_MINUTE = timedelta(minutes=1)


class Limit(StrEnum):
    """The limits that may keep a call from being answered, by their names in the configuration."""

    CALLS = "calls"
    CALLS_PER_AGENT = "calls_per_agent"
    CALLS_PER_CALLER = "calls_per_caller"
    CALLS_PER_CALLER_PER_MINUTE = "calls_per_caller_per_minute"
    CALLS_PER_MINUTE = "calls_per_minute"
    SPEND = "spend_usd_per_day"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call that asks to be answered. `party` is the number at the other end."""

    call_sid: str
    agent: str
    party: str

    @property
    def caller(self) -> str | None:
        """Who it is, as far as callers can be told apart."""
        return shown(self.party) or None


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls there are right now."""

    calls: int
    by_agent: dict[str, int]
    most_of_one_caller: int
    last_minute: int
    """New ones; those we placed are not among them."""
    spent_usd: Decimal
    """In this day of UTC."""


class Admission:
    """Counts the calls of this process, from the moment they are being answered until they are over.

    `is_here` says whether a call is live or its stream still to come: whatever became of a call, it is counted no
    longer than that.
    """

    def __init__(self, *, max_calls: int, is_here: Callable[[str], bool], spend: DaySpend | None = None) -> None:
        self.refused: Counter[str] = Counter()
        """How many calls each limit has kept out, since the process began."""
        self.max_calls = max_calls
        self.spend = spend or DaySpend()
        self._is_here = is_here
        self._calls: dict[str, Incoming] = {}
        self._being_answered: set[str] = set()
        self._recent: deque[tuple[datetime, str | None]] = deque()
        self._recent_of: Counter[str] = Counter()

    @contextmanager
    def answering(self, call: Incoming, limits: LimitsConf | None, at: datetime) -> Iterator[Limit | None]:
        """Hold a place for a call while its answer is made; yields the limit that keeps it out, if one does.

        Without limits, the call is one that we placed: it counts, and is not turned away.
        """
        if limits and call.call_sid not in self._calls:
            if reached := self._reached(call, limits, at):
                self.refused[reached] += 1
                yield reached
                return
            self._remember(call, at)
        self._calls[call.call_sid] = call
        self._being_answered.add(call.call_sid)
        try:
            yield None
        finally:
            self._being_answered.discard(call.call_sid)

    def listen(self, record: CallRecord, event: CallEvent) -> None:
        """A listener of calls: those whose webhook another process had count here as well, and all that they cost."""
        if event.kind is Kind.CALL_STARTED:
            party = record.from_number if record.direction == "inbound" else record.to_number
            self._calls[record.call_sid] = Incoming(record.call_sid, record.agent, party)
        elif usd := event.data.get("cost_usd"):
            self.spend.hear(record.id, Decimal(usd), record.started_at + timedelta(milliseconds=event.at_ms))

    def count(self, at: datetime) -> Count:
        """How things stand."""
        calls = self._here()
        callers = Counter(caller for call in calls if (caller := call.caller))
        self._forget_old(at)
        return Count(
            calls=len(calls),
            by_agent=dict(Counter(call.agent for call in calls)),
            most_of_one_caller=max(callers.values(), default=0),
            last_minute=len(self._recent),
            spent_usd=self.spend.on(at.astimezone(UTC).date()),
        )

    def _reached(self, call: Incoming, limits: LimitsConf, at: datetime) -> Limit | None:
        calls = self._here()
        if len(calls) >= min(self.max_calls, limits.calls or self.max_calls):
            return Limit.CALLS
        if _full(limits.calls_per_agent, sum(other.agent == call.agent for other in calls)):
            return Limit.CALLS_PER_AGENT
        if call.caller and _full(limits.calls_per_caller, sum(other.party == call.party for other in calls)):
            return Limit.CALLS_PER_CALLER
        self._forget_old(at)
        if call.caller and _full(limits.calls_per_caller_per_minute, self._recent_of[call.caller]):
            return Limit.CALLS_PER_CALLER_PER_MINUTE
        if _full(limits.calls_per_minute, len(self._recent)):
            return Limit.CALLS_PER_MINUTE
        most_usd = limits.spend_usd_per_day
        if most_usd is not None and self.spend.on(at.astimezone(UTC).date()) >= most_usd:
            return Limit.SPEND
        return None

    def _here(self) -> list[Incoming]:
        gone = [sid for sid in self._calls if sid not in self._being_answered and not self._is_here(sid)]
        for sid in gone:
            del self._calls[sid]
        return list(self._calls.values())

    def _remember(self, call: Incoming, at: datetime) -> None:
        self._recent.append((at, call.caller))
        if call.caller:
            self._recent_of[call.caller] += 1

    def _forget_old(self, at: datetime) -> None:
        while self._recent and self._recent[0][0] <= at - A_MINUTE:
            _, caller = self._recent.popleft()
            if caller:
                self._recent_of[caller] -= 1
                if not self._recent_of[caller]:
                    del self._recent_of[caller]


def _full(most: int | None, count: int) -> bool:
    return most is not None and count >= most
