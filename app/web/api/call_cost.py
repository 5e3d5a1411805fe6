"""What a call cost, as the API shows it."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from app.call.events import NumberedEvent
from app.conf.models import PricesConf
from app.db.tables import Call, Recording, Transcript
from app.openai.bill import Bill, Line, bill_of
from app.recordings.states import TranscriptState

DIGITS = 8

Dollars = Annotated[float | None, Field(description="US dollars; null where it cannot be said: see `unknown`.")]


class AnswerTokens(BaseModel):
    """Tokens by kind; the cached ones are part of those that went in."""

    text_in: int
    text_cached: int
    audio_in: int
    audio_cached: int
    image_in: int
    image_cached: int
    text_out: int
    audio_out: int


class AnswerCost(BaseModel):
    """What one answer of the model used and cost."""

    at_ms: int
    model: str
    usd: Dollars
    tokens: AnswerTokens


class CostPoint(BaseModel):
    """What had been paid by that moment."""

    at_ms: int
    usd: float


class CallCost(BaseModel):
    """What the call cost: what was used by the prices of that moment, and by today's what had none then."""

    total_usd: Annotated[float, Field(description="All that is known; where `unknown` says something, it was more.")]
    realtime_usd: Dollars
    live_transcription_usd: Annotated[
        float | None, Field(description="The caller's words as they were said: a model of its own, billed apart.")
    ]
    transcription_usd: Annotated[float | None, Field(description="The recordings' words, after the call.")]
    telephony_usd: Dollars
    answers: list[AnswerCost]
    curve: Annotated[
        list[CostPoint],
        Field(description="How the costs grew as the call went on; all but the recordings' words, which come after."),
    ]
    unknown: Annotated[list[str], Field(description="What cannot be said, and why.")]
    estimated: Annotated[list[str], Field(description="What is counted by a public price, and may differ.")]


def bill_for(
    row: Call,
    events: Sequence[NumberedEvent],
    recordings: Sequence[tuple[Recording, Transcript | None]],
    prices: PricesConf,
) -> Bill:
    """The bill of that call."""
    lasted = row.ended_at - row.started_at if row.ended_at else None
    words = [words for _, words in recordings if words and words.state != TranscriptState.SKIPPED]
    line = Line(row.direction, row.to_number, lasted.total_seconds() if lasted else None)
    return bill_of(row.session, events, [each.cost_usd for each in words], line, prices)


def show_cost(bill: Bill) -> CallCost:
    """The bill as it is shown."""
    return CallCost(
        total_usd=round(float(bill.total_usd), DIGITS),
        realtime_usd=_dollars(bill.realtime_usd),
        live_transcription_usd=_dollars(bill.live_transcription_usd),
        transcription_usd=_dollars(bill.transcription_usd),
        telephony_usd=_dollars(bill.telephony_usd),
        answers=[
            AnswerCost(
                at_ms=answer.at_ms,
                model=answer.used.model,
                usd=_dollars(answer.usd),
                tokens=AnswerTokens(**asdict(answer.used.tokens)),
            )
            for answer in bill.answers
        ],
        curve=[CostPoint(at_ms=at_ms, usd=round(float(usd), DIGITS)) for at_ms, usd in bill.curve],
        unknown=list(bill.unknown),
        estimated=list(bill.estimated),
    )


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else round(float(amount), DIGITS)
