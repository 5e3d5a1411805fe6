import pytest

from app.twilio.signature import Signed, spellings, stream_signer, webhook_signer
from tests.unit.twilio.accounts import OLD_TOKEN, OTHER_TOKEN, OURS, THEIRS, TOKEN, account, sha256, sign

URL = "https://calls.example.com/twilio/voice?x=%C3%A9"
FIELDS = {"CallSid": "CA1", "From": "+15551234567", "City": "", "Name": "Zoë & Co"}
STREAM = "wss://calls.example.com/twilio/media"


def form(url: str = URL, fields: dict[str, str] | None = None, **signing: str) -> Signed:
    values = FIELDS if fields is None else fields
    return Signed(url, sign(url, values, **signing), fields=tuple(values.items()))


def test_a_form_signed_with_our_token_is_our_accounts():
    signer = webhook_signer(form(), [account()])

    assert signer is not None
    assert signer.account_sid == OURS


def test_twilios_documented_example_is_accepted():
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    request = Signed(
        "https://example.com/myapp.php?foo=1&bar=2", "L/OH5YylLD5NRKLltdqwSvS0BnU=", fields=tuple(fields.items())
    )

    assert webhook_signer(request, [account(OURS, "12345")]) is not None


@pytest.mark.parametrize("altered", [{**FIELDS, "From": "+15550000000"}, {**FIELDS, "Extra": "1"}, {}])
def test_an_altered_field_is_refused(altered: dict[str, str]):
    request = Signed(URL, sign(URL, FIELDS), fields=tuple(altered.items()))

    assert webhook_signer(request, [account()]) is None


def test_the_name_of_a_blank_field_is_signed_too():
    without = tuple((name, value) for name, value in FIELDS.items() if value)

    assert webhook_signer(Signed(URL, sign(URL, FIELDS), fields=without), [account()]) is None


def test_each_distinct_value_of_a_repeated_field_is_signed_once():
    signature = sign(URL + "MediaUrla" + "MediaUrlb")

    request = Signed(URL, signature, fields=(("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b")))

    assert webhook_signer(request, [account()]) is not None


def test_a_get_signs_the_url_with_its_query_only():
    assert webhook_signer(Signed(URL, sign(URL)), [account()]) is not None
    assert webhook_signer(Signed(f"{URL}&y=1", sign(URL)), [account()]) is None


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_default_port_may_be_written_or_not(port: str):
    signed_url = f"https://calls.example.com{port}/twilio/voice"

    request = Signed("https://calls.example.com/twilio/voice", sign(signed_url, FIELDS), fields=tuple(FIELDS.items()))

    assert webhook_signer(request, [account()]) is not None


def test_during_rotation_both_tokens_count_and_afterwards_only_the_new_one():
    request = form(token=OLD_TOKEN)

    assert webhook_signer(request, [account(OURS, TOKEN, OLD_TOKEN)]) is not None
    assert webhook_signer(request, [account(OURS, TOKEN)]) is None


def test_the_account_is_the_one_whose_token_fits():
    signer = webhook_signer(form(token=OTHER_TOKEN), [account(), account(THEIRS, OTHER_TOKEN)])

    assert signer is not None
    assert signer.account_sid == THEIRS


@pytest.mark.parametrize("signature", ["", "nonsense", "é", "A" * 28])
def test_a_wrong_signature_is_refused(signature: str):
    assert webhook_signer(Signed(URL, signature, fields=tuple(FIELDS.items())), [account()]) is None
    assert stream_signer(Signed(STREAM, signature), [account()]) is None


def test_without_accounts_nothing_is_let_in():
    assert webhook_signer(form(), []) is None
    assert stream_signer(Signed(STREAM, sign(STREAM)), []) is None


def test_json_counts_only_with_its_hash_in_the_signed_url():
    body = b'{"a": 1}'
    hashed = f"https://calls.example.com/twilio/status?bodySHA256={sha256(body)}"
    bare = "https://calls.example.com/twilio/status"

    assert webhook_signer(Signed(hashed, sign(hashed), json_body=body), [account()]) is not None
    assert webhook_signer(Signed(hashed, sign(hashed), json_body=b'{"a": 2}'), [account()]) is None
    assert webhook_signer(Signed(bare, sign(bare), json_body=body), [account()]) is None
    assert webhook_signer(Signed(hashed, sign(hashed), json_body=b"\xff"), [account()]) is None


def test_an_algorithm_that_we_do_not_know_is_refused():
    for settings, algorithm, known in [
        ("key=k1,algorithm=HMAC_SHA256", "sha256", True),
        ("key=k1,algorithm=HMAC_SHA512", "sha512", False),
        ("key=k1,algorithm=none", "sha1", False),
    ]:
        webhook = Signed(URL, sign(URL, FIELDS, algorithm=algorithm), settings, fields=tuple(FIELDS.items()))
        stream = Signed(STREAM, sign(STREAM, algorithm=algorithm), settings)
        assert (webhook_signer(webhook, [account()]) is not None) is known
        assert (stream_signer(stream, [account()]) is not None) is known


@pytest.mark.parametrize(
    "signed_url",
    [
        "wss://calls.example.com/twilio/media",
        "wss://calls.example.com/twilio/media/",
        "wss://calls.example.com:443/twilio/media",
        "wss://calls.example.com:443/twilio/media/",
        "https://calls.example.com/twilio/media",
        "https://calls.example.com:443/twilio/media/",
    ],
)
@pytest.mark.parametrize("requested", [STREAM, f"{STREAM}/"])
def test_every_spelling_of_a_streams_url_is_accepted(signed_url: str, requested: str):
    assert stream_signer(Signed(requested, sign(signed_url)), [account()]) is not None


@pytest.mark.parametrize(
    "signed_url",
    [
        "wss://evil.example.com/twilio/media",
        "wss://calls.example.com:80/twilio/media",
        "wss://calls.example.com:8443/twilio/media",
        "wss://calls.example.com/twilio/voice",
        "ws://calls.example.com/twilio/media",
        "wss://calls.example.com/twilio/media?token=1",
    ],
)
def test_no_other_url_is_accepted_for_a_stream(signed_url: str):
    assert stream_signer(Signed(STREAM, sign(signed_url)), [account()]) is None


def test_a_port_of_our_own_is_never_left_out():
    assert set(spellings("ws://127.0.0.1:8000/twilio/media")) == {
        "ws://127.0.0.1:8000/twilio/media",
        "ws://127.0.0.1:8000/twilio/media/",
        "http://127.0.0.1:8000/twilio/media",
        "http://127.0.0.1:8000/twilio/media/",
    }


def test_neither_tokens_nor_fields_show_when_a_request_is_printed():
    assert "+15551234567" not in repr(form())
