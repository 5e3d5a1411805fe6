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
    usd: Dollars
    tokens: AnswerTokens


class CallCost(BaseModel):
    """What the call cost, by the prices of today."""

    total_usd: Annotated[float, Field(description="All that is known; where `unknown` says something, it was more.")]
    realtime_usd: Dollars
    transcription_usd: Dollars
    telephony_usd: Dollars
    answers: list[AnswerCost]
    unknown: Annotated[list[str], Field(description="What cannot be said, and why.")]


def bill_for(
    row: Call,
    events: Sequence[NumberedEvent],
    recordings: Sequence[tuple[Recording, Transcript | None]],
    prices: PricesConf,
) -> Bill:
    """The bill of that call."""
    lasted = row.ended_at - row.started_at if row.ended_at else None
    words = [words for _, words in recordings if words and words.state != TranscriptState.SKIPPED]
    line = Line(row.direction, lasted.total_seconds() if lasted else None)
    return bill_of(row.session, events, [each.cost_usd for each in words], line, prices)


def show_cost(bill: Bill) -> CallCost:
    """The bill as it is shown."""
    return CallCost(
        total_usd=round(float(bill.total_usd), DIGITS),
        realtime_usd=_dollars(bill.realtime_usd),
        transcription_usd=_dollars(bill.transcription_usd),
        telephony_usd=_dollars(bill.telephony_usd),
        answers=[
            AnswerCost(
                at_ms=answer.at_ms,
                usd=_dollars(answer.cost.total) if answer.cost else None,
                tokens=AnswerTokens(**asdict(answer.usage)),
            )
            for answer in bill.answers
        ],
        unknown=list(bill.unknown),
    )


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else round(float(amount), DIGITS)
