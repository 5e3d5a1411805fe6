"""Whose price counts: the operator's, then ours."""

from decimal import Decimal

from app.conf.models import PricesConf
from app.openai.constants import REALTIME_MODELS
from app.openai.prices import DEFAULT_PRICES, token_prices, transcription_price

OWN = {"text_in": 1, "text_cached": 0.1, "text_out": 2, "audio_in": "3.5", "audio_cached": 0, "audio_out": 4}


def test_every_model_that_lasts_has_a_price():
    lasting = {name for name, model in REALTIME_MODELS.items() if model.last_day is None}
    assert lasting <= DEFAULT_PRICES.models.keys()


def test_an_operators_price_wins_for_its_model_alone():
    own = PricesConf.model_validate({"models": {"gpt-realtime-2.1": OWN}})
    assert token_prices("gpt-realtime-2.1", own).audio_in == Decimal("3.5")
    assert token_prices("gpt-realtime-2.1", own).text_cached == Decimal("0.1")
    assert token_prices("gpt-realtime-2", own) == token_prices("gpt-realtime-2")


def test_a_dated_name_has_its_familys_price_unless_it_has_its_own():
    assert token_prices("gpt-realtime-2.1-2026-09-01") == token_prices("gpt-realtime-2.1")
    own = PricesConf.model_validate({"models": {"gpt-realtime-2.1-2026-09-01": OWN}})
    assert token_prices("gpt-realtime-2.1-2026-09-01", own).text_in == 1
    assert token_prices("gpt-realtime-2.1", own).text_in == 4


def test_an_unknown_model_has_no_price():
    assert token_prices("my-deployment") is None
    assert transcription_price("my-recogniser") is None


def test_minutes_have_prices_too():
    assert transcription_price("gpt-transcribe") == Decimal("0.0045")
    own = PricesConf(transcription_usd_per_minute={"gpt-transcribe": Decimal(0)})
    assert transcription_price("gpt-transcribe", own) == 0
