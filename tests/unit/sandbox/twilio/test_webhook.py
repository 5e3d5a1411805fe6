from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from app.errors import CarrierFault
from app.sandbox.twilio.webhook import Answer, new_sid, request, sign, twiml_of, voice_params

PARAMS = voice_params(account_sid="AC1", call_sid="CA1", from_="+15550100", to="+15550199", direction="inbound") | {
    "CallStatus": "ringing",
    "CallerName": "Zoë & Co",
}
URL = "https://calls.example.com/twilio/voice?a=1"


def test_a_posted_webhook_passes_the_vendor_s_validator_blank_values_included():
    ready = request("token", URL, PARAMS)
    received = dict(parse_qsl(ready.body or "", keep_blank_values=True))

    assert received == PARAMS
    assert received["FromCity"] == ""
    assert RequestValidator("token").validate(URL, received, ready.headers["X-Twilio-Signature"])
    assert not RequestValidator("other").validate(URL, received, ready.headers["X-Twilio-Signature"])


def test_a_webhook_by_get_is_signed_over_its_url():
    ready = request("token", URL, PARAMS, method="GET")

    assert ready.body is None
    assert ready.url.startswith(f"{URL}&AccountSid=AC1&")
    assert RequestValidator("token").validate(ready.url, {}, ready.headers["X-Twilio-Signature"])


def test_a_given_signature_and_idempotency_token_stand_in_for_the_true_ones():
    ready = request("token", URL, PARAMS, signature="forged", idempotency_token="again")

    assert ready.headers["X-Twilio-Signature"] == "forged"
    assert ready.headers["I-Twilio-Idempotency-Token"] == "again"
    first, second = (request("token", URL, PARAMS).headers["I-Twilio-Idempotency-Token"] for _ in range(2))
    assert first != second


def test_the_signature_of_a_url_alone_is_known():
    """Fixed, so that both sides cannot drift together: base64(HMAC-SHA1("token", URL))."""
    assert sign("token", "wss://calls.example.com/twilio/media") == "AZixKfG66ZJmOumV3wMAC1VFD8E="


def test_a_sid_is_two_letters_and_32_hex_digits():
    sid = new_sid("CA")
    assert sid.startswith("CA")
    assert len(bytes.fromhex(sid[2:])) == 16


def answer(status: int = 200, kind: str = "text/xml; charset=utf-8", body: bytes = b"<Response/>") -> Answer:
    return Answer("https://host/voice", status, {"content-type": kind}, body, took_ms=1.0)


def test_an_answer_of_xml_is_taken():
    assert twiml_of(answer()) == "<Response/>"
    assert twiml_of(answer(kind="application/xml")) == "<Response/>"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(status=500), 11200),
        (answer(status=302), 11200),
        (answer(kind="application/json"), 12300),
        (answer(kind=""), 12300),
        (answer(body=b"x" * 65_537), 11750),
    ],
)
def test_an_answer_the_carrier_would_not_accept_has_its_code(given: Answer, code: int):
    with pytest.raises(CarrierFault) as refused:
        twiml_of(given)
    assert refused.value.code == code
