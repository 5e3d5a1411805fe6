"""Numbers at Twilio beside what their webhooks should be."""

import pytest
from msgspec import structs

from app.doctor.webhooks import compare
from app.twilio.numbers import PhoneNumber

HERE = "https://calls.example.com"
NUMBER = "+15550100100"
RIGHT = PhoneNumber(NUMBER, f"{HERE}/twilio/voice", f"{HERE}/twilio/fallback", f"{HERE}/twilio/status")
ELSEWHERE = PhoneNumber("+15550100200", "https://demo.example.org/voice")


def test_a_number_whose_webhooks_all_point_here_is_fine():
    assert [check.verdict for check in compare([RIGHT, ELSEWHERE], {NUMBER}, HERE)] == ["ok"]
    assert [check.verdict for check in compare([RIGHT, ELSEWHERE], set(), HERE)] == ["ok"]


def test_a_retry_fragment_is_no_difference():
    retried = PhoneNumber(NUMBER, f"{HERE}/twilio/voice#rc=2", RIGHT.voice_fallback_url, RIGHT.status_callback)
    assert [check.verdict for check in compare([retried], {NUMBER}, HERE)] == ["ok"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (PhoneNumber(NUMBER), "voice_url is not set"),
        (PhoneNumber(NUMBER, f"{HERE}/twilio/voice/", RIGHT.voice_fallback_url, RIGHT.status_callback), "/voice/, sho"),
        (PhoneNumber(NUMBER, RIGHT.voice_url, None, RIGHT.status_callback), "voice_fallback_url is not set"),
        (PhoneNumber(NUMBER, RIGHT.voice_url, RIGHT.voice_fallback_url, ""), "status_callback is not set"),
        (PhoneNumber(NUMBER, "http://calls.example.com/twilio/voice"), "voice_url is http://"),
    ],
)
def test_each_webhook_that_points_elsewhere_is_a_problem_with_its_remedy(number, text):
    [check] = compare([number], {NUMBER}, HERE)
    assert check.verdict == "problem"
    assert text in check.text
    assert f"should be {HERE}/twilio/" in check.text


def test_a_number_that_no_account_has_and_an_account_without_our_numbers_are_problems():
    assert [(check.what, check.verdict) for check in compare([RIGHT], {NUMBER, "+15550100300"}, HERE)] == [
        (NUMBER, "ok"),
        ("+15550100300", "problem"),
    ]
    [nothing] = compare([ELSEWHERE], set(), HERE)
    assert nothing.verdict == "problem"


def test_an_application_or_a_trunk_makes_twilio_ignore_the_numbers_own_webhooks():
    for field in ("voice_application_sid", "trunk_sid"):
        [check] = compare([structs.replace(RIGHT, **{field: "XX1"})], {NUMBER}, HERE)
        assert (check.verdict, check.text) == ("problem", f"{field} is XX1, should be not set")
