"""What a call cost: its answers, its written words, its minutes on the line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from app.call.cost import Cost, PriceUnknown, cost_of
from app.call.events import Kind, NumberedEvent
from app.conf.models import PricesConf, TokenPrices
from app.openai.prices import token_prices
from app.openai.usage import usage_of
from app.realtime.usage import Usage

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the model, and what it cost; None where that cannot be said."""

    at_ms: int
    usage: Usage
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Line:
    """What the carrier bills by."""

    direction: str
    lasted_s: float | None
    """None while the call goes on."""


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars; None where a part cannot be said, and `unknown` has the reason."""

    answers: Sequence[Answer]
    realtime_usd: Decimal | None
    transcription_usd: Decimal | None
    telephony_usd: Decimal | None
    unknown: Sequence[str]

    @property
    def total_usd(self) -> Decimal:
        """All that is known: where `unknown` says something, the call cost more."""
        parts = (self.realtime_usd, self.transcription_usd, self.telephony_usd)
        return sum((part for part in parts if part is not None), Decimal(0))


def bill_of(
    session: Mapping[str, Any],
    events: Iterable[NumberedEvent],
    transcripts: Sequence[Decimal | None],
    line: Line,
    own: PricesConf | None = None,
) -> Bill:
    """The bill of a call with that compiled session; `transcripts` are what each of its recordings' words cost."""
    unknown: list[str] = []
    model = str(session.get("model") or "")
    answers = _answers(model, events, token_prices(model, own), unknown)
    costs = [answer.cost.total for answer in answers if answer.cost]
    if _writes_live(session):
        unknown.append("the live transcription of the caller: it is billed apart, and what it used is not told")
    return Bill(
        answers,
        sum(costs, Decimal(0)) if len(costs) == len(answers) else None,
        _transcription(transcripts, unknown),
        _telephony(line, own or PricesConf(), unknown),
        unknown,
    )


def _answers(
    model: str, events: Iterable[NumberedEvent], prices: TokenPrices | None, unknown: list[str]
) -> list[Answer]:
    answers = []
    for event in events:
        if event.kind == Kind.RESPONSE_DONE:
            usage = usage_of(event.data.get("usage"))
            answers.append(Answer(event.at_ms, usage, _cost(model, usage, prices, unknown)))
    return answers


def _cost(model: str, usage: Usage, prices: TokenPrices | None, unknown: list[str]) -> Cost | None:
    if not usage.total:
        return Cost()
    try:
        if prices is None:
            raise PriceUnknown(f"{model or 'the model'} has no price: set one in prices/default")
        return cost_of(usage, prices)
    except PriceUnknown as error:
        if str(error) not in unknown:
            unknown.append(str(error))
        return None


def _transcription(transcripts: Sequence[Decimal | None], unknown: list[str]) -> Decimal | None:
    known = [cost for cost in transcripts if cost is not None]
    if len(known) < len(transcripts):
        unknown.append("a transcript: its cost was not told, or it is not done")
        return None
    return sum(known, Decimal(0))


def _telephony(line: Line, prices: PricesConf, unknown: list[str]) -> Decimal | None:
    """For each minute that has begun."""
    outbound = line.direction == "outbound"
    per_minute = prices.telephony.outbound_usd_per_minute if outbound else prices.telephony.inbound_usd_per_minute
    if per_minute is None:
        unknown.append(f"the phone line: {line.direction} minutes have no price in prices/default")
        return None
    if line.lasted_s is None:
        unknown.append("the phone line: the call goes on")
        return None
    return ceil(line.lasted_s / MINUTE_S) * per_minute


def _writes_live(session: Mapping[str, Any]) -> bool:
    heard = (session.get("audio") or {}).get("input") or {}
    return bool(heard.get("transcription"))
