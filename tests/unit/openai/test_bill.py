"""The bill of a whole call, against one written by hand."""

from decimal import Decimal

import pytest

from app.call.events import NumberedEvent
from app.conf.models import PricesConf
from app.openai.bill import ESTIMATED, Line, bill_of

SESSION = {"model": "gpt-realtime-2.1", "audio": {"input": {"transcription": None}}}
OWN = PricesConf.model_validate(
    {
        "telephony": {
            "inbound_usd_per_minute": 0.0085,
            "outbound_usd_per_minute": 0.014,
            "media_stream_usd_per_minute": 0,
        }
    }
)
HERE, ABROAD = "+15550100100", "+390600000000"
FIRST = {
    "input_token_details": {"text_tokens": 1000, "audio_tokens": 0, "cached_tokens_details": {"text_tokens": 400}},
    "output_token_details": {"text_tokens": 20, "audio_tokens": 100},
}
SECOND = {
    "input_token_details": {"text_tokens": 1020, "audio_tokens": 150, "cached_tokens_details": {"text_tokens": 1000}},
    "output_token_details": {"text_tokens": 30, "audio_tokens": 200},
}


def done(seq: int, usage: object, **more: object) -> NumberedEvent:
    return NumberedEvent(seq, "response.done", seq * 1000, {"status": "completed", "usage": usage, **more})


def used(seq: int, of: str, **more: object) -> NumberedEvent:
    return NumberedEvent(seq, "usage", seq * 1000, {"of": of, **more})


EVENTS = [NumberedEvent(1, "call.started", 0), done(2, FIRST), done(3, None), done(4, SECOND)]


def test_a_call_costs_its_answers_its_words_and_its_minutes():
    bill = bill_of(SESSION, EVENTS, [Decimal("0.0045")], Line("inbound", HERE, 61), OWN)
    # 1st: 600 x 4 + 400 x 0.40 + 20 x 24 + 100 x 64 =  2400 + 160 + 480 + 6400           =  9440
    # 2nd:  20 x 4 + 1000 x 0.40 + 150 x 32 + 30 x 24 + 200 x 64 = 80 + 400 + 4800 + 720 + 12800 = 18800
    assert [answer.usd for answer in bill.answers] == [Decimal("0.00944"), 0, Decimal("0.0188")]
    assert [answer.at_ms for answer in bill.answers] == [2000, 3000, 4000]
    assert bill.realtime_usd == Decimal("0.02824")
    assert bill.telephony_usd == 2 * Decimal("0.0085")  # a minute that has begun is paid
    assert bill.total_usd == Decimal("0.02824") + Decimal("0.0045") + Decimal("0.017")
    assert (bill.unknown, bill.estimated) == ([], [])


def test_what_the_journal_says_it_cost_is_what_it_cost_whatever_prices_are_today():
    events = [
        done(1, FIRST, model="gpt-realtime-2.1", tokens={"text_in": 1000, "audio_out": 100}, cost_usd="0.5"),
        used(2, "aside", model="gpt-realtime-2.1", tokens={"text_in": 10}, cost_usd="0.25"),
        NumberedEvent(3, "caller.transcript", 2500, {"item_id": "item_1", "text": "Hello", "final": True}),
        used(3, "transcription", item_id="item_1", model="gpt-transcribe", audio_s=4.0, cost_usd="0.125"),
        NumberedEvent(4, "call.ended", 5000, {"spent_usd": {"model": "0.75", "transcription": "0.125", "line": "2"}}),
    ]
    bill = bill_of(SESSION, events, [Decimal(1)], Line("inbound", HERE, 61), OWN)
    assert (bill.realtime_usd, bill.live_transcription_usd) == (Decimal("0.75"), Decimal("0.125"))
    assert (bill.transcription_usd, bill.telephony_usd, bill.total_usd) == (1, 2, Decimal("3.875"))
    assert [(each.of, each.used.tokens.text_in) for each in bill.answers] == [("answer", 1000), ("aside", 10)]
    # the line's two minutes begin at 0 and at 60 s
    curve = [
        (0, 1),
        (1000, Decimal("1.5")),
        (2000, Decimal("1.75")),
        (3000, Decimal("1.875")),
        (60_000, Decimal("2.875")),
    ]
    assert list(bill.curve) == curve
    assert bill.curve[-1][1] + bill.transcription_usd == bill.total_usd
    assert (bill.unknown, bill.estimated) == ([], [])


def test_each_answer_has_the_price_of_the_model_that_gave_it():
    events = [done(1, FIRST, model="gpt-realtime-2.1"), done(2, FIRST, model="gpt-realtime-2.1-mini")]
    bill = bill_of(SESSION, events, [], Line("inbound", HERE, 1), OWN)
    # mini: 600 x 0.60 + 400 x 0.06 + 20 x 2.40 + 100 x 20 = 360 + 24 + 48 + 2000 = 2432
    assert [answer.usd for answer in bill.answers] == [Decimal("0.00944"), Decimal("0.002432")]


def test_what_had_no_price_then_has_todays():
    events = [
        done(1, FIRST, model="my-deployment", tokens={"text_in": 1000}),
        used(2, "transcription", model="w", audio_s=30),
    ]
    own = PricesConf.model_validate(
        {
            "models": {
                "my-deployment": dict.fromkeys(["text_cached", "text_out", "audio_in", "audio_cached", "audio_out"], 0)
                | {"text_in": 3}
            },
            "transcription_usd_per_minute": {"w": 0.01},
        }
    )
    bill = bill_of(SESSION, events, [], Line("inbound", HERE, None), own)
    assert (bill.realtime_usd, bill.live_transcription_usd) == (Decimal("0.003"), Decimal("0.005"))


def test_a_part_that_is_known_counts_where_the_whole_is_not():
    events = [done(1, FIRST), done(2, FIRST, model="my-deployment")]
    bill = bill_of(SESSION, events, [], Line("inbound", HERE, 1), OWN)
    assert (bill.realtime_usd, bill.total_usd) == (None, Decimal("0.00944") + Decimal("0.0085"))


def test_a_model_without_a_price_is_null_with_a_reason_and_told_once():
    bill = bill_of({"model": "my-deployment"}, EVENTS, [], Line("outbound", HERE, 30), OWN)
    assert (bill.realtime_usd, bill.total_usd) == (None, Decimal("0.014"))
    assert bill.unknown == ["my-deployment has no price: set one in prices/default"]


def test_what_nobody_can_tell_has_its_reason():
    heard = NumberedEvent(5, "caller.transcript", 5000, {"item_id": "", "text": "Hello", "final": True})
    bill = bill_of(SESSION, [*EVENTS, heard], [None, Decimal(1)], Line("inbound", HERE, None))
    assert (bill.transcription_usd, bill.telephony_usd, bill.live_transcription_usd) == (None, None, None)
    assert len(bill.unknown) == 3
    assert bill.total_usd == bill.realtime_usd


@pytest.mark.parametrize("lasted_s", [0.0, 59.9, 60.0, 60.1])
def test_minutes_are_paid_from_their_first_second(lasted_s):
    bill = bill_of({}, [], [], Line("inbound", HERE, lasted_s), OWN)
    minutes = {0.0: 0, 59.9: 1, 60.0: 1, 60.1: 2}[lasted_s]
    assert bill.telephony_usd == minutes * Decimal("0.0085")
    assert (bill.realtime_usd, bill.answers) == (0, [])


def test_minutes_that_nobody_priced_are_estimated_at_home_and_unknown_abroad():
    home, abroad = (bill_of({}, [], [], Line("inbound", number, 61)) for number in (HERE, ABROAD))
    assert home.telephony_usd == 2 * (Decimal("0.0085") + Decimal("0.004"))
    assert (home.estimated, home.unknown) == ([ESTIMATED], [])
    assert (abroad.telephony_usd, abroad.estimated) == (None, [])
    assert abroad.unknown == ["the phone line: inbound minutes have no price in prices/default"]
