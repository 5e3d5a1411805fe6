"""What a call costs while it goes on: whatever was used is priced and noted."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from app.call.events import CallEvent, Kind
from app.call.money.cost import PriceUnknown
from app.call.money.line_price import LinePrice
from app.call.money.pricing import Pricing
from app.realtime.events import AsideDone, CallerTranscript, RealtimeInEvent, ResponseDone
from app.realtime.usage import Used


class Spending:
    """One call's costs, whichever sessions it had. Without `pricing` nothing has a price.

    `before_usd` is what the same phone call cost before a stream was lost: it counts, and is in that call's record.
    """

    def __init__(
        self, pricing: Pricing | None = None, line: LinePrice | None = None, *, before_usd: Decimal = Decimal(0)
    ) -> None:
        self._pricing = pricing
        self._line = line
        self._before_usd = before_usd
        self._model_usd = self._transcription_usd = Decimal(0)
        self._unpriced: set[str] = set()

    def answer(self, done: ResponseDone, at_ms: float) -> list[CallEvent]:
        """The end of an answer, with what it cost."""
        told = {"status": done.status, "reason": done.reason, "usage": done.usage}
        return self._answered(Kind.RESPONSE_DONE, told, done.used, at_ms)

    def beside(self, event: RealtimeInEvent, at_ms: float) -> list[CallEvent]:
        """What was used beside the answers that the caller hears, or by a session that is not the call's any more."""
        match event:
            case AsideDone(used=Used() as used):
                return self._answered(Kind.USAGE, {"of": "aside"}, used, at_ms)
            case ResponseDone(used=Used() as used):
                return self._answered(Kind.USAGE, {"of": "answer"}, used, at_ms)
            case CallerTranscript(used=Used() as used):
                return self._written(used, event.item_id, at_ms)
            case _:
                return []

    def usd(self, at_ms: float) -> Decimal:
        """What the phone call has cost so far, the minutes on the line among it."""
        line_usd = self._line.of(at_ms) if self._line else Decimal(0)
        return self._before_usd + self._model_usd + self._transcription_usd + line_usd

    def totals(self, at_ms: float) -> dict[str, str]:
        """What the call cost, by what it was paid for, for its record; the line where it has a price or an estimate."""
        totals = {"model": as_text(self._model_usd), "transcription": as_text(self._transcription_usd)}
        if self._line:
            totals["line_estimate" if self._line.estimated else "line"] = as_text(self._line.of(at_ms))
        return totals

    def _answered(self, kind: Kind, told: dict[str, Any], used: Used | None, at_ms: float) -> list[CallEvent]:
        if used is None:
            return [CallEvent(kind, int(at_ms), told)]
        usd, unknown = self._price(self._pricing.answer if self._pricing else None, used, at_ms)
        self._model_usd += usd or 0
        return [CallEvent(kind, int(at_ms), told | _shown(used, usd)), *unknown]

    def _written(self, used: Used, item_id: str, at_ms: float) -> list[CallEvent]:
        usd, unknown = self._price(self._pricing.transcription if self._pricing else None, used, at_ms)
        self._transcription_usd += usd or 0
        told = {"of": "transcription", "item_id": item_id} | _shown(used, usd)
        return [CallEvent(Kind.USAGE, int(at_ms), told), *unknown]

    def _price(
        self, price: Callable[[Used], Decimal] | None, used: Used, at_ms: float
    ) -> tuple[Decimal | None, list[CallEvent]]:
        """What it cost; where that is unknown, the call's record says so once."""
        if price is None:
            return None, []
        try:
            return price(used), []
        except PriceUnknown as error:
            reason = str(error)
            if reason in self._unpriced:
                return None, []
            self._unpriced.add(reason)
            return None, [CallEvent(Kind.PRICE_UNKNOWN, int(at_ms), {"model": used.model, "reason": reason})]


def as_text(usd: Decimal) -> str:
    """An amount as events keep it: exact, without an exponent."""
    return format(usd.normalize(), "f")


def _shown(used: Used, usd: Decimal | None) -> dict[str, Any]:
    """What was used and what it cost, as events have it."""
    shown: dict[str, Any] = {"model": used.model}
    if used.audio_s is not None:
        shown["audio_s"] = used.audio_s
    else:
        shown["tokens"] = {kind: count for kind, count in asdict(used.tokens).items() if count}
    return shown if usd is None else shown | {"cost_usd": as_text(usd)}
