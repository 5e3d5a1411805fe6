"""What OpenAI's models cost, as far as this build knows (November 2026), and what an operator says instead."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from app.call.money.cost import A_MILLION, PriceUnknown, cost_of
from app.conf.models import PricesConf, TokenPrices, TranscriptionTokenPrices
from app.openai.constants import FILE_TRANSCRIPTION_MODELS, family
from app.realtime.usage import Used

MINUTE_S = 60
_T = TypeVar("_T")
_NANO_USD = Decimal("1e-9")


def _prices(text: str, audio: str, image: str | None = None) -> TokenPrices:
    """In, cached, out of each kind, as price lists have them; images do not come out."""
    text_in, text_cached, text_out = map(Decimal, text.split())
    audio_in, audio_cached, audio_out = map(Decimal, audio.split())
    image_in, image_cached = map(Decimal, image.split()) if image else (None, None)
    return TokenPrices(
        text_in=text_in,
        text_cached=text_cached,
        text_out=text_out,
        audio_in=audio_in,
        audio_cached=audio_cached,
        audio_out=audio_out,
        image_in=image_in,
        image_cached=image_cached,
    )


_BIG = _prices("4 0.40 24", "32 0.40 64", "5 0.50")

DEFAULT_PRICES = PricesConf(
    models={
        "gpt-realtime-2.1": _BIG,
        "gpt-realtime-2.1-mini": _prices("0.60 0.06 2.40", "10 0.30 20", "0.80 0.08"),
        "gpt-realtime-2": _BIG,
        "gpt-realtime-1.5": _prices("4 0.40 16", "32 0.40 64"),
    },
    transcription_usd_per_minute={
        name: model.usd_per_minute
        for name, model in FILE_TRANSCRIPTION_MODELS.items()
        if model.usd_per_minute is not None
    },
    transcription_usd_per_million_tokens={
        name: TranscriptionTokenPrices(
            tokens_in=model.usd_per_million_tokens[0], tokens_out=model.usd_per_million_tokens[1]
        )
        for name, model in FILE_TRANSCRIPTION_MODELS.items()
        if model.usd_per_million_tokens is not None
    },
)


def token_prices(model: str, own: PricesConf | None = None) -> TokenPrices | None:
    """What the model costs: by the operator's row, else by ours; a dated name is looked up without its date too."""
    return _find(lambda prices: prices.models, model, own)


def transcription_price(model: str, own: PricesConf | None = None) -> Decimal | None:
    """What a minute costs that the model writes down; None for one that is paid by tokens, or unknown."""
    return _find(lambda prices: prices.transcription_usd_per_minute, model, own)


def transcription_cost(used: Used, own: PricesConf | None = None) -> Decimal:
    """What it cost to write something down, by time or by tokens, as it was told; raises `PriceUnknown`."""
    if used.audio_s is not None:
        per_minute = transcription_price(used.model, own)
        if per_minute is None:
            raise _unknown(used.model, "the minutes of")
        return (per_minute * Decimal(str(used.audio_s)) / MINUTE_S).quantize(_NANO_USD)
    price = _find(lambda prices: prices.transcription_usd_per_million_tokens, used.model, own)
    if price is None:
        raise _unknown(used.model, "the tokens of")
    went_in = used.tokens.total - used.tokens.text_out
    return (went_in * price.tokens_in + used.tokens.text_out * price.tokens_out) / A_MILLION


class Prices:
    """What the models cost, by the operator's table and ours; see `Pricing`."""

    def __init__(self, own: PricesConf | None = None) -> None:
        self._own = own

    def answer(self, used: Used) -> Decimal:
        """What an answer cost; raises `PriceUnknown`."""
        if not used.tokens.total:
            return Decimal(0)
        if (prices := token_prices(used.model, self._own)) is None:
            raise PriceUnknown(f"{used.model or 'the model'} has no price: set one in prices/default")
        return cost_of(used.tokens, prices).total

    def transcription(self, used: Used) -> Decimal:
        """What it cost to write down what the caller said; raises `PriceUnknown`."""
        return transcription_cost(used, self._own)


def _find(table: Callable[[PricesConf], Mapping[str, _T]], model: str, own: PricesConf | None) -> _T | None:
    for prices in (own, DEFAULT_PRICES):
        for name in (model, family(model)):
            if prices and (found := table(prices).get(name)) is not None:
                return found
    return None


def _unknown(model: str, what: str) -> PriceUnknown:
    return PriceUnknown(f"{what} {model or 'the recogniser'} have no price: set one in prices/default")
