"""Bills, against sums done by hand."""

from decimal import Decimal

import pytest

from app.call.money.cost import Cost, PriceUnknown, cost_of
from app.openai.prices import token_prices
from app.realtime.usage import Usage


def test_one_answer_of_the_big_model_costs_what_a_hand_computes():
    usage = Usage(
        text_in=1500, text_cached=1000, audio_in=600, audio_cached=400,
        image_in=300, image_cached=100, text_out=50, audio_out=250,
    )  # fmt: skip
    cost = cost_of(usage, token_prices("gpt-realtime-2.1"))

    # text   (1500 - 1000) x  4.00 / 1e6 = 0.002000     1000 x 0.40 / 1e6 = 0.000400
    # audio  ( 600 -  400) x 32.00 / 1e6 = 0.006400      400 x 0.40 / 1e6 = 0.000160
    # image  ( 300 -  100) x  5.00 / 1e6 = 0.001000      100 x 0.50 / 1e6 = 0.000050
    # out       50         x 24.00 / 1e6 = 0.001200      250 x  64  / 1e6 = 0.016000
    assert cost == Cost(
        text_in=Decimal("0.002"), text_cached=Decimal("0.0004"),
        audio_in=Decimal("0.0064"), audio_cached=Decimal("0.00016"),
        image_in=Decimal("0.001"), image_cached=Decimal("0.00005"),
        text_out=Decimal("0.0012"), audio_out=Decimal("0.016"),
    )  # fmt: skip
    # 0.0020 + 0.0004 + 0.0064 + 0.00016 + 0.0010 + 0.00005 + 0.0012 + 0.0160
    assert cost.total == Decimal("0.02721")


def test_the_small_model_has_its_own_prices():
    usage = Usage(text_in=1000, audio_in=1000, audio_cached=1000, text_out=1000, audio_out=1000)
    # 1000 x 0.60 + 1000 x 0.30 + 1000 x 2.40 + 1000 x 20, / 1e6 = (600 + 300 + 2400 + 20000) / 1e6
    assert cost_of(usage, token_prices("gpt-realtime-2.1-mini")).total == Decimal("0.0233")


def test_a_conversation_costs_what_its_answers_cost():
    prices = token_prices("gpt-realtime-2.1")
    answers = [Usage(text_in=108, text_cached=64, audio_in=22, text_out=23, audio_out=78), Usage(audio_in=7)]
    apart = sum((cost_of(each, prices).total for each in answers), Decimal(0))
    # 44 x 4 + 64 x 0.4 + 22 x 32 + 23 x 24 + 78 x 64 = 176 + 25.6 + 704 + 552 + 4992 = 6449.6;  7 x 32 = 224
    assert apart == cost_of(answers[0] + answers[1], prices).total == Decimal("0.0066736")


def test_nothing_used_is_nothing_paid():
    assert cost_of(Usage(), token_prices("gpt-realtime-2.1")).total == 0


def test_images_without_a_price_are_not_counted_as_free():
    prices = token_prices("gpt-realtime-1.5")
    assert cost_of(Usage(text_in=1_000_000, text_out=1_000_000), prices).total == Decimal(4 + 16)
    with pytest.raises(PriceUnknown, match="images"):
        cost_of(Usage(image_in=1), prices)
