"""What an answer of the model cost."""

from dataclasses import astuple, dataclass
from decimal import Decimal

from app.conf.models import TokenPrices
from app.errors import ParleyError
from app.realtime.usage import Usage

A_MILLION = 1_000_000


class PriceUnknown(ParleyError):
    """Something was used that has no price; the message says what."""


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars, by what they were paid for. Cached tokens are paid apart from the others that went in."""

    text_in: Decimal = Decimal(0)
    text_cached: Decimal = Decimal(0)
    audio_in: Decimal = Decimal(0)
    audio_cached: Decimal = Decimal(0)
    image_in: Decimal = Decimal(0)
    image_cached: Decimal = Decimal(0)
    text_out: Decimal = Decimal(0)
    audio_out: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(astuple(self), Decimal(0))


def cost_of(usage: Usage, prices: TokenPrices) -> Cost:
    """What that usage costs at those prices, exactly; raises `PriceUnknown` for images that have none."""
    if usage.image_in and (prices.image_in is None or prices.image_cached is None):
        raise PriceUnknown("images have no price with this model")
    return Cost(
        text_in=_price(usage.text_in - usage.text_cached, prices.text_in),
        text_cached=_price(usage.text_cached, prices.text_cached),
        audio_in=_price(usage.audio_in - usage.audio_cached, prices.audio_in),
        audio_cached=_price(usage.audio_cached, prices.audio_cached),
        image_in=_price(usage.image_in - usage.image_cached, prices.image_in),
        image_cached=_price(usage.image_cached, prices.image_cached),
        text_out=_price(usage.text_out, prices.text_out),
        audio_out=_price(usage.audio_out, prices.audio_out),
    )


def _price(tokens: int, usd_per_million: Decimal | None) -> Decimal:
    return tokens * (usd_per_million or Decimal(0)) / A_MILLION
