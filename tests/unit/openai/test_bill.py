"""The bill of a whole call, against one written by hand."""

from decimal import Decimal

import pytest

from app.call.events import NumberedEvent
from app.conf.models import PricesConf
from app.openai.bill import Line, bill_of

SESSION = {"model": "gpt-realtime-2.1", "audio": {"input": {"transcription": None}}}
OWN = PricesConf.model_validate({"telephony": {"inbound_usd_per_minute": 0.0085, "outbound_usd_per_minute": 0.014}})
FIRST = {
    "input_token_details": {"text_tokens": 1000, "audio_tokens": 0, "cached_tokens_details": {"text_tokens": 400}},
    "output_token_details": {"text_tokens": 20, "audio_tokens": 100},
}
SECOND = {
    "input_token_details": {"text_tokens": 1020, "audio_tokens": 150, "cached_tokens_details": {"text_tokens": 1000}},
    "output_token_details": {"text_tokens": 30, "audio_tokens": 200},
}


def done(seq: int, usage: object) -> NumberedEvent:
    return NumberedEvent(seq, "response.done", seq * 1000, {"status": "completed", "usage": usage})


EVENTS = [NumberedEvent(1, "call.started", 0), done(2, FIRST), done(3, None), done(4, SECOND)]


def test_a_call_costs_its_answers_its_words_and_its_minutes():
    bill = bill_of(SESSION, EVENTS, [Decimal("0.0045")], Line("inbound", 61), OWN)
    # 1st: 600 x 4 + 400 x 0.40 + 20 x 24 + 100 x 64 =  2400 + 160 + 480 + 6400           =  9440
    # 2nd:  20 x 4 + 1000 x 0.40 + 150 x 32 + 30 x 24 + 200 x 64 = 80 + 400 + 4800 + 720 + 12800 = 18800
    assert [answer.cost.total for answer in bill.answers] == [Decimal("0.00944"), 0, Decimal("0.0188")]
    assert [answer.at_ms for answer in bill.answers] == [2000, 3000, 4000]
    assert bill.realtime_usd == Decimal("0.02824")
    assert bill.telephony_usd == 2 * Decimal("0.0085")  # a minute that has begun is paid
    assert bill.total_usd == Decimal("0.02824") + Decimal("0.0045") + Decimal("0.017")
    assert bill.unknown == []


def test_a_model_without_a_price_is_null_with_a_reason_and_told_once():
    bill = bill_of({"model": "my-deployment"}, EVENTS, [], Line("outbound", 30), OWN)
    assert (bill.realtime_usd, bill.total_usd) == (None, Decimal("0.014"))
    assert bill.unknown == ["my-deployment has no price: set one in prices/default"]


def test_what_nobody_can_tell_has_its_reason():
    session = {"model": "gpt-realtime-2.1", "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}}}
    bill = bill_of(session, EVENTS, [None, Decimal(1)], Line("inbound", None))
    assert (bill.transcription_usd, bill.telephony_usd) == (None, None)
    assert len(bill.unknown) == 3
    assert bill.total_usd == bill.realtime_usd


@pytest.mark.parametrize("lasted_s", [0.0, 59.9, 60.0, 60.1])
def test_minutes_are_paid_from_their_first_second(lasted_s):
    bill = bill_of({}, [], [], Line("inbound", lasted_s), OWN)
    minutes = {0.0: 0, 59.9: 1, 60.0: 1, 60.1: 2}[lasted_s]
    assert bill.telephony_usd == minutes * Decimal("0.0085")
    assert (bill.realtime_usd, bill.answers) == (0, [])
