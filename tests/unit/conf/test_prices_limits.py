"""The sections `prices` and `limits`."""

import pytest
from pydantic import ValidationError

from app.conf.models import Known, LimitsConf, PricesConf, parse
from app.conf.secrets import redact
from app.errors import ConfInvalid

TOKENS = {"text_in": 4, "text_cached": 0.4, "text_out": 24, "audio_in": 32, "audio_cached": 0.4, "audio_out": 64}


@pytest.mark.parametrize("section", ["prices", "limits", "outbound"])
def test_the_section_has_one_row(section):
    assert parse(section, "default", {}, Known())
    with pytest.raises(ConfInvalid, match="called 'default'"):
        parse(section, "other", {}, Known())


def test_prices_are_kept_and_shown_to_the_last_digit():
    given = {"models": {"m": TOKENS}, "telephony": {"inbound_usd_per_minute": 0.0085}}
    prices = PricesConf.model_validate(given)
    shown = redact(prices)
    assert (shown["models"]["m"]["text_cached"], shown["telephony"]["inbound_usd_per_minute"]) == ("0.4", "0.0085")
    assert PricesConf.model_validate(shown) == prices


@pytest.mark.parametrize("wrong", [-1, "x", "NaN", "Infinity", 1e12])
def test_a_price_is_a_number_that_is_not_negative(wrong):
    with pytest.raises(ValidationError):
        PricesConf.model_validate({"models": {"m": TOKENS | {"audio_in": wrong}}})


def test_a_model_with_half_its_prices_is_refused():
    with pytest.raises(ConfInvalid, match=r"models\.m\.audio_in"):
        parse("prices", "default", {"models": {"m": {**TOKENS, "audio_in": None}}}, Known())


def test_one_caller_is_limited_by_default_and_null_takes_that_away():
    assert (LimitsConf().calls_per_caller, LimitsConf().calls_per_caller_per_minute) == (3, 10)
    assert LimitsConf.model_validate({"calls_per_caller": None}).calls_per_caller is None


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "many"])
def test_a_limit_is_a_number_of_calls(wrong):
    with pytest.raises(ValidationError):
        LimitsConf.model_validate({"calls": wrong})


@pytest.mark.parametrize(("calls", "doubted"), [(None, False), (200, False), (201, True)])
def test_more_calls_than_a_server_takes_are_doubted_where_that_is_known(calls, doubted):
    limits = LimitsConf(calls=calls)
    assert bool(Known(max_calls=200).doubts(limits)) == doubted
    assert Known().doubts(limits) == []
