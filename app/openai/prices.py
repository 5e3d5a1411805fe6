"""What OpenAI's models cost, as far as this build knows (November 2026), and what an operator says instead."""

from decimal import Decimal

from app.conf.models import PricesConf, TokenPrices
from app.openai.constants import FILE_TRANSCRIPTION_MODELS, family


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
)


def token_prices(model: str, own: PricesConf | None = None) -> TokenPrices | None:
    """What the model costs: by the operator's row, else by ours; a dated name is looked up without its date too."""
    for prices in (own, DEFAULT_PRICES):
        for name in (model, family(model)):
            if prices and (found := prices.models.get(name)):
                return found
    return None


def transcription_price(model: str, own: PricesConf | None = None) -> Decimal | None:
    """What a minute costs that the model writes down; None for one that is paid by tokens, or unknown."""
    for prices in (own, DEFAULT_PRICES):
        for name in (model, family(model)):
            if prices and (found := prices.transcription_usd_per_minute.get(name)) is not None:
                return found
    return None
