"""What each answer that is no transcription means, and what is told of it."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from app.errors import TranscriptionKeyRejected, TranscriptionRefused, TranscriptionUnavailable
from app.openai.transcription_errors import after_s, error_of

KEY = "sk-proj-a-secret-key-of-ours"


def answered(status, code=None, message="", param=None, type_="invalid_request_error", **headers):
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(status, httpx.Headers(names), json.dumps(body).encode(), secret=KEY)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, TranscriptionRefused),
        (400, "unsupported_value", TranscriptionRefused),
        (401, "invalid_api_key", TranscriptionKeyRejected),
        (401, None, TranscriptionKeyRejected),
        (403, None, TranscriptionKeyRejected),
        (404, "model_not_found", TranscriptionRefused),
        (404, None, TranscriptionRefused),
        (408, None, TranscriptionUnavailable),
        (409, None, TranscriptionUnavailable),
        (413, None, TranscriptionRefused),
        (415, None, TranscriptionRefused),
        (422, None, TranscriptionRefused),
        (429, "rate_limit_exceeded", TranscriptionUnavailable),
        (429, "insufficient_quota", TranscriptionKeyRejected),
        (307, None, TranscriptionRefused),
        (500, "server_error", TranscriptionUnavailable),
        (502, None, TranscriptionUnavailable),
        (503, None, TranscriptionUnavailable),
        (504, None, TranscriptionUnavailable),
        (520, None, TranscriptionUnavailable),
    ],
)
def test_the_status_and_the_code_say_who_is_at_fault(status, code, kind):
    error = answered(status, code)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(
    ("status", "code", "told", "kind"),
    [
        (400, None, "true", TranscriptionUnavailable),
        (500, None, "false", TranscriptionRefused),
        (429, "rate_limit_exceeded", "false", TranscriptionRefused),
        (429, "insufficient_quota", "true", TranscriptionKeyRejected),
        (401, None, "false", TranscriptionKeyRejected),
    ],
)
def test_the_server_may_override_whether_another_try_helps_but_no_try_brings_money(status, code, told, kind):
    assert type(answered(status, code, x_should_retry=told)) is kind


def test_a_quota_is_known_by_its_type_too():
    assert type(answered(429, None, type_="insufficient_quota")) is TranscriptionKeyRejected


def test_a_refusal_names_the_field_the_code_and_the_request():
    error = answered(400, "unsupported_value", "Not that format.", "response_format", x_request_id="req_1")
    assert str(error) == "OpenAI gave no transcription (HTTP 400, unsupported_value): Not that format. [request req_1]"
    assert (error.code, error.param, error.request_id) == ("unsupported_value", "response_format", "req_1")


def test_too_long_audio_has_a_code_of_its_own_as_it_can_be_split():
    text = "audio duration 1502.3 seconds is longer than 1400 seconds which is the maximum for this model"
    assert answered(400, "invalid_value", text).code == "audio_too_long"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_model_that_the_account_has_not_got_is_told_alike_whatever_the_status(status):
    error = answered(status, "model_not_found", "does not exist")
    assert (type(error), error.code) == (TranscriptionRefused, "model_not_found")


def test_a_404_that_names_the_model_is_a_missing_model_without_the_code_too():
    assert answered(404, None, "no such model", "model").code == "model_not_found"


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_no_error_holds_the_key_even_where_the_server_echoes_it(status):
    partly = "sk-proj-********************ours"
    error = answered(status, f"bad {KEY}", f"Incorrect API key provided: {KEY} ({partly}).", x_request_id=f"r-{KEY}")
    shown = f"{error} {error!r} {error.args}"
    assert "secret-key" not in shown
    assert "ours" not in shown
    assert "secret-key" not in f"{error.code} {error.param} {error.request_id}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title>", "a web page: 502 Bad Gateway"),
        (b"<html><body>nothing</body>", "a web page"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"message": "no error object"}', '{"message": "no error object"}'),
        (b'{"error": "a string"}', "a string"),
        (b"[" * 100_000, "[[["),
        (b"\xff\xfe\x00", "HTTP 502"),
        (b"", "HTTP 502"),
    ],
)
def test_what_a_proxy_answers_is_told_in_a_line(body, told):
    error = error_of(502, httpx.Headers({"x-request-id": ""}), body, secret=KEY)
    assert told in str(error)
    assert len(str(error)) < 400
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Fri, 99 Foo"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({}, None),
    ],
)
def test_how_long_we_are_asked_to_wait(headers, seconds):
    assert after_s(httpx.Headers(headers)) == seconds
    error = answered(429, "rate_limit_exceeded", **{name.replace("-", "_"): value for name, value in headers.items()})
    assert isinstance(error, TranscriptionUnavailable)
    assert error.after_s == seconds


def test_a_date_to_wait_for_is_understood():
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    assert after_s(httpx.Headers({"retry-after": later})) == pytest.approx(120, abs=5)
