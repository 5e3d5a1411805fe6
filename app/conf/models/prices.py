"""What a model and a phone line cost, in US dollars."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.conf.models.base import Conf

Usd = Annotated[Decimal, Field(ge=0, le=1_000_000)]
ModelName = Annotated[str, Field(min_length=1, max_length=100)]


class TokenPrices(Conf):
    """What a model costs, for a million tokens of each kind."""

    text_in: Usd
    text_cached: Usd
    """Of what went in, the part that was cached."""
    text_out: Usd
    audio_in: Usd
    audio_cached: Usd
    audio_out: Usd
    image_in: Usd | None = None
    """Without it, answers to images have no price."""
    image_cached: Usd | None = None


class TelephonyPrices(Conf):
    """What the carrier takes for each minute that has begun.

    Without one of these, calls to +1 numbers are estimated by the carrier's public price, others have no price.
    """

    inbound_usd_per_minute: Usd | None = None
    outbound_usd_per_minute: Usd | None = None
    media_stream_usd_per_minute: Usd | None = None
    """On top of either."""


class TranscriptionTokenPrices(Conf):
    """What a recogniser costs that is paid by tokens, for a million of them."""

    tokens_in: Usd
    tokens_out: Usd


class PricesConf(Conf):
    """Prices that differ from those this build knows; a row of its own for each model."""

    models: dict[ModelName, TokenPrices] = Field(default_factory=dict)
    """By the model's name; a name without its date stands for all its dates."""
    transcription_usd_per_minute: dict[ModelName, Usd] = Field(default_factory=dict)
    """By the name of the model that writes down recordings, or what callers say as they say it."""
    transcription_usd_per_million_tokens: dict[ModelName, TranscriptionTokenPrices] = Field(default_factory=dict)
    """The same, of those that are paid by tokens."""
    telephony: TelephonyPrices = Field(default_factory=TelephonyPrices)
