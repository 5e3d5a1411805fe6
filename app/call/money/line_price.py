"""What the phone line costs: by the operator's contract, else by the carrier's list."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from app.conf.models import TelephonyPrices

MINUTE_MS = 60_000
LISTED_PREFIX = "+1"
"""Voice prices differ by country. The list below is for numbers of this one; elsewhere only the operator knows."""
LISTED = TelephonyPrices(
    inbound_usd_per_minute=Decimal("0.0085"),
    outbound_usd_per_minute=Decimal("0.0140"),
    media_stream_usd_per_minute=Decimal("0.0040"),
)
"""Twilio's public prices for local US numbers, without discounts (as known in November 2026)."""


@dataclass(frozen=True, slots=True)
class LinePrice:
    """For each minute that has begun."""

    usd_per_minute: Decimal
    estimated: bool = False
    """Whether any of it is the carrier's public price, and not the operator's own."""

    def of(self, lasted_ms: float) -> Decimal:
        """What so long a call costs."""
        return minutes(lasted_ms) * self.usd_per_minute


def minutes(lasted_ms: float) -> int:
    """How many have begun: each is paid whole."""
    return ceil(lasted_ms / MINUTE_MS)


def line_price(direction: str, to_number: str, own: TelephonyPrices) -> LinePrice | None:
    """What a minute costs of a call to that number, voice and media stream together; None where nobody has said."""
    outbound = direction == "outbound"
    voice = own.outbound_usd_per_minute if outbound else own.inbound_usd_per_minute
    listed = LISTED.outbound_usd_per_minute if outbound else LISTED.inbound_usd_per_minute
    stream = own.media_stream_usd_per_minute
    if voice is None and not to_number.startswith(LISTED_PREFIX):
        return None
    parts = [(voice, listed), (stream, LISTED.media_stream_usd_per_minute)]
    usd = sum(((ours if ours is not None else theirs) or Decimal(0) for ours, theirs in parts), Decimal(0))
    return LinePrice(usd, estimated=voice is None or stream is None)
