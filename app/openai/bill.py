"""What a call cost, told from its events: its answers, its written words, its minutes on the line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.call.events import Kind, NumberedEvent
from app.call.money.cost import PriceUnknown
from app.call.money.line_price import MINUTE_MS, line_price, minutes
from app.conf.models import PricesConf
from app.openai.prices import Prices
from app.openai.usage import usage_of
from app.realtime.usage import Usage, Used

TRANSCRIPTION = "transcription"
ESTIMATED = "the phone line: by the carrier's public price for US numbers; set your own in prices/default"


@dataclass(frozen=True, slots=True)
class Paid:
    """One thing that was paid for by what it used, and what it cost; None where that cannot be said."""

    of: str
    """An `answer` of the model, an `aside`, or a `transcription` of the caller's words as they were said."""
    at_ms: int
    used: Used
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Line:
    """What the carrier bills by."""

    direction: str
    to_number: str
    lasted_s: float | None
    """None while the call goes on."""


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars; None where a part cannot be said, and `unknown` has the reason."""

    paid: Sequence[Paid]
    realtime_usd: Decimal | None
    live_transcription_usd: Decimal | None
    transcription_usd: Decimal | None
    telephony_usd: Decimal | None
    unknown: Sequence[str] = ()
    estimated: Sequence[str] = ()
    curve: Sequence[tuple[int, Decimal]] = field(default_factory=tuple)
    """When, and what had been paid by then for all but the recordings' words."""

    @property
    def answers(self) -> list[Paid]:
        """What the model said, and what it was asked beside the conversation."""
        return [each for each in self.paid if each.of != TRANSCRIPTION]

    @property
    def total_usd(self) -> Decimal:
        """All that is known: where `unknown` says something, the call cost more."""
        known = [each.usd for each in self.paid] + [self.transcription_usd, self.telephony_usd]
        return sum((part for part in known if part is not None), Decimal(0))


def bill_of(
    session: Mapping[str, Any],
    events: Iterable[NumberedEvent],
    transcripts: Sequence[Decimal | None],
    line: Line,
    own: PricesConf | None = None,
) -> Bill:
    """The bill of a call with that compiled session; `transcripts` are what each of its recordings' words cost.

    What the journal says a thing cost is what it cost. What had no price then has today's.
    """
    events = list(events)
    unknown: list[str] = []
    estimated: list[str] = []
    paid = _paid(session, events, Prices(own), unknown)
    answers = [each.usd for each in paid if each.of != TRANSCRIPTION]
    written = [each.usd for each in paid if each.of == TRANSCRIPTION]
    if turns := _unmetered(events):
        unknown.append(f"the live transcription of {turns} turns of the caller: what it used was not told")
    telephony = _telephony(line, events, own or PricesConf(), unknown, estimated)
    return Bill(
        paid,
        _sum(answers),
        None if turns else _sum(written),
        _transcription(transcripts, unknown),
        telephony,
        unknown,
        estimated,
        _curve(paid, telephony, line),
    )


def _paid(
    session: Mapping[str, Any], events: Iterable[NumberedEvent], prices: Prices, unknown: list[str]
) -> list[Paid]:
    paid = []
    for event in events:
        if event.kind == Kind.RESPONSE_DONE:
            of = "answer"
        elif event.kind == Kind.USAGE:
            of = str(event.data.get("of"))
        else:
            continue
        used = _used(event.data, str(session.get("model") or ""))
        paid.append(Paid(of, event.at_ms, used, _usd(event.data, of, used, prices, unknown)))
    return paid


def _used(data: Mapping[str, Any], model: str) -> Used:
    """What the event says was used; events of older releases have it in the provider's words alone."""
    tokens = data.get("tokens")
    if isinstance(tokens, Mapping):
        usage = Usage(**{kind: tokens[kind] for kind in Usage.__slots__ if kind in tokens})
    else:
        usage = usage_of(data.get("usage"))
    return Used(str(data.get("model") or model), usage, data.get("audio_s"))


def _usd(data: Mapping[str, Any], of: str, used: Used, prices: Prices, unknown: list[str]) -> Decimal | None:
    if (journalled := data.get("cost_usd")) is not None:
        return Decimal(str(journalled))
    try:
        return prices.transcription(used) if of == TRANSCRIPTION else prices.answer(used)
    except PriceUnknown as error:
        if str(error) not in unknown:
            unknown.append(str(error))
        return None


def _sum(costs: Sequence[Decimal | None]) -> Decimal | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _unmetered(events: Sequence[NumberedEvent]) -> int:
    """How many turns of the caller were written down live of which nobody told what that used."""
    written = sum(event.kind == Kind.CALLER_TRANSCRIPT for event in events)
    metered = sum(1 for event in events if event.kind == Kind.USAGE and event.data.get("of") == TRANSCRIPTION)
    return max(0, written - metered)


def _transcription(transcripts: Sequence[Decimal | None], unknown: list[str]) -> Decimal | None:
    if (usd := _sum(transcripts)) is None:
        unknown.append("a transcript: its cost was not told, or it is not done")
    return usd


def _telephony(
    line: Line, events: Sequence[NumberedEvent], prices: PricesConf, unknown: list[str], estimated: list[str]
) -> Decimal | None:
    """For each minute that has begun: by the operator's price of then, else by what is known today."""
    if line.lasted_s is None:
        unknown.append("the phone line: the call goes on")
        return None
    if (journalled := _journalled_line(events)) is not None:
        return journalled
    price = line_price(line.direction, line.to_number, prices.telephony)
    if price is None:
        unknown.append(f"the phone line: {line.direction} minutes have no price in prices/default")
        return None
    if price.estimated and line.lasted_s:
        estimated.append(ESTIMATED)
    return price.of(line.lasted_s * 1000)


def _journalled_line(events: Sequence[NumberedEvent]) -> Decimal | None:
    ended = next((event for event in reversed(events) if event.kind == Kind.CALL_ENDED), None)
    usd = (ended.data.get("spent_usd") or {}).get("line") if ended else None
    return None if usd is None else Decimal(usd)


def _curve(paid: Iterable[Paid], telephony_usd: Decimal | None, line: Line) -> list[tuple[int, Decimal]]:
    """What had been paid by then, at each moment at which something was."""
    steps = [(each.at_ms, each.usd) for each in paid if each.usd]
    if telephony_usd and (count := minutes((line.lasted_s or 0) * 1000)):
        steps += [(minute * MINUTE_MS, telephony_usd / count) for minute in range(count)]
    curve: dict[int, Decimal] = {}
    spent = Decimal(0)
    for at_ms, usd in sorted(steps):
        spent += usd
        curve[at_ms] = spent
    return list(curve.items())
