"""A message's bytes, its signature, and what an answer means."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.conf.models import WebhookConf, new_webhook_secret
from app.egress.exchange import Answer
from app.jobs.job import GiveUp, TryAgain
from app.jobs.webhooks.emit import message_id
from app.jobs.webhooks.sending import Message, judged, signed

NOW = datetime.now(UTC)
OLD, NEW = new_webhook_secret(), new_webhook_secret()
MESSAGE = Message("msg_1", "call.ended", datetime(2026, 11, 21, 12, tzinfo=UTC), {"caller": "+15550100123", "ü": 1})


def conf(**fields: object) -> WebhookConf:
    return WebhookConf.model_validate({"url": "https://hooks.example.com/", "secret": NEW} | fields)


def answer(status: int, **headers: str) -> Answer:
    shown = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(status, shown, b"", whole=True)


def test_the_body_is_kind_time_and_data_and_stays_the_same() -> None:
    assert MESSAGE.body == (
        '{"type":"call.ended","timestamp":"2026-11-21T12:00:00Z","data":{"caller":"+15550100123","ü":1}}'
    )


def test_the_librarys_own_check_takes_the_signature_and_refuses_another_secret() -> None:
    headers = signed(conf(), MESSAGE, NOW)

    assert Webhook(NEW).verify(MESSAGE.body, headers)["data"]["ü"] == 1
    assert headers["webhook-id"] == "msg_1"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(MESSAGE.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(MESSAGE.body + " ", headers)


def test_while_a_secret_is_changed_both_sign() -> None:
    headers = signed(conf(previous_secrets=[OLD]), MESSAGE, NOW)

    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (OLD, NEW):
        Webhook(secret).verify(MESSAGE.body, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_a_success(status: int) -> None:
    assert judged(answer(status), NOW) is None


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    failure = judged(answer(status), NOW)

    assert isinstance(failure, TryAgain)
    assert str(status) in str(failure)
    assert failure.after_s is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_says_that_it_is_not_followed(status: int) -> None:
    failure = judged(answer(status, location="http://127.0.0.1/"), NOW)

    assert isinstance(failure, TryAgain)
    assert "not followed" in str(failure)


def test_a_server_that_is_gone_is_left_alone() -> None:
    assert isinstance(judged(answer(410), NOW), GiveUp)


@pytest.mark.parametrize(
    ("said", "after_s"),
    [
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        pytest.param((NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT"), 90, id="a date ahead"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_obeyed_in_both_of_its_forms(said: str, after_s: float | None) -> None:
    failure = judged(answer(503, retry_after=said), NOW)

    assert isinstance(failure, TryAgain)
    assert failure.after_s == (None if after_s is None else pytest.approx(after_s, abs=1))


def test_a_message_id_is_made_of_what_happened() -> None:
    assert message_id("call.ended", "1") == message_id("call.ended", "1")
    assert len({message_id(kind, subject) for kind in ("a", "b") for subject in ("1", "2")}) == 4
    assert message_id("call.ended", "1").startswith("msg_")
