"""Whose price counts: the operator's, then ours."""

from decimal import Decimal

import pytest

from app.call.money.cost import PriceUnknown
from app.conf.models import PricesConf
from app.openai.constants import REALTIME_MODELS
from app.openai.prices import DEFAULT_PRICES, Prices, token_prices, transcription_cost, transcription_price
from app.realtime.usage import Usage, Used

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


def test_writing_down_is_paid_by_the_second_or_by_the_token():
    # 14 s at 0.0045 a minute = 0.00105;  (120 + 30) x 2.5 + 45 x 10 = 375 + 450 = 825 millionths
    assert transcription_cost(Used("gpt-transcribe", audio_s=14)) == Decimal("0.00105")
    tokens = Usage(text_in=30, audio_in=120, text_out=45)
    assert transcription_cost(Used("gpt-4o-transcribe-2026-01-01", tokens)) == Decimal("0.000825")


def test_an_operators_price_of_writing_down_wins():
    own = PricesConf.model_validate(
        {
            "transcription_usd_per_minute": {"gpt-transcribe": "0.06"},
            "transcription_usd_per_million_tokens": {"gpt-4o-transcribe": {"tokens_in": 1, "tokens_out": 2}},
        }
    )
    assert Prices(own).transcription(Used("gpt-transcribe", audio_s=1.5)) == Decimal("0.0015")
    assert Prices(own).transcription(Used("gpt-4o-transcribe", Usage(audio_in=10, text_out=5))) == Decimal("0.00002")


@pytest.mark.parametrize(
    "used", [Used("my-recogniser", audio_s=3), Used("my-recogniser", Usage(audio_in=3)), Used("", audio_s=1)]
)
def test_what_has_no_price_is_never_free(used):
    with pytest.raises(PriceUnknown, match="set one in prices/default"):
        Prices().transcription(used)
    with pytest.raises(PriceUnknown, match="set one in prices/default"):
        Prices().answer(Used(used.model, Usage(text_in=1)))


def test_an_answer_of_every_kind_costs_what_the_list_says():
    tokens = Usage(
        text_in=1200, text_cached=1000, audio_in=900, audio_cached=600, image_in=800, image_cached=300,
        text_out=60, audio_out=240,
    )  # fmt: skip
    # text 200 x 4 + 1000 x 0.40 = 1200; audio 300 x 32 + 600 x 0.40 = 9840; image 500 x 5 + 300 x 0.50 = 2650;
    # out 60 x 24 + 240 x 64 = 16800; together 30490 millionths
    assert Prices().answer(Used("gpt-realtime-2.1", tokens)) == Decimal("0.03049")
    assert Prices().answer(Used("nobody-knows-it")) == 0
