"""What an operator may say of a server that is told of events."""

from typing import Any

import pytest

from app.conf.models import Known, MessageKind, WebhookConf, new_webhook_secret, parse
from app.conf.secrets import KeyRing, redact
from app.errors import ConfInvalid

SECRET = new_webhook_secret()
URL = "https://hooks.example.com/parley"


def webhook(**fields: Any) -> WebhookConf:
    conf = parse("webhook", "crm", {"url": URL, "secret": SECRET} | fields, Known())
    assert isinstance(conf, WebhookConf)
    return conf


def test_a_url_and_a_secret_are_enough_and_everything_is_told() -> None:
    conf = webhook()

    assert all(conf.wants(kind, "any") for kind in MessageKind)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (["call.*"], {"call.started", "call.ended", "call.failed"}),
        (["call.ended", "system.quota"], {"call.ended", "system.quota"}),
        (["*"], set(MessageKind)),
        (["recording.*", "transcript.ready"], {"recording.ready", "transcript.ready"}),
    ],
)
def test_patterns_choose_kinds(events: list[str], wanted: set[str]) -> None:
    conf = webhook(events=events)

    assert {kind.value for kind in MessageKind if conf.wants(kind, None)} == wanted


def test_agents_choose_what_concerns_them_and_let_through_what_concerns_none() -> None:
    conf = webhook(agents=["sales"])

    assert conf.wants("call.ended", "sales")
    assert not conf.wants("call.ended", "support")
    assert conf.wants("system.jobs_stuck", None)


def test_a_server_that_is_not_enabled_wants_nothing() -> None:
    assert not webhook(enabled=False).wants("call.ended", None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": "http://hooks.example.com/"}, "https://"),
        ({"url": "https://10.0.0.1/"}, "is private"),
        ({"url": "https://169.254.169.254/", "allow_private": ["0.0.0.0/0"]}, "cannot be allowed"),
        ({"url": "https://me:pw@hooks.example.com/"}, "user name"),
        ({"events": ["call.exploded"]}, "no such event"),
        ({"events": ["nothing.*"]}, "no such event"),
        ({"events": ["call*"]}, "no such event"),
        ({"events": []}, "at least 1"),
        ({"agents": []}, "at least 1"),
        ({"allow_private": ["10.0.0.1/8"]}, "neither a network"),
        ({"secret": "hunter2hunter2hunter2hunter2hunter2"}, "whsec_"),
        ({"secret": "whsec_c2hvcnQ="}, "24 to 64 bytes"),
        ({"secret": "whsec_!!!"}, "whsec_"),
        ({"previous_secrets": ["whsec_c2hvcnQ="]}, "24 to 64 bytes"),
        ({"surprise": 1}, "Extra"),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason_and_without_its_value(fields: Any, reason: str) -> None:
    with pytest.raises(ConfInvalid, match=reason) as refused:
        webhook(**fields)
    for value in ("hunter2", "c2hvcnQ", "pw@"):
        assert value not in str(refused.value)


def test_plain_http_is_taken_for_an_address_that_is_allowed() -> None:
    assert webhook(url="http://10.0.0.1:8080/x", allow_private=["10.0.0.0/8"]).url == "http://10.0.0.1:8080/x"


def test_its_secrets_are_sealed_for_the_database_and_masked_for_everybody() -> None:
    ring, before = KeyRing(["k" * 32]), new_webhook_secret()
    conf = webhook(previous_secrets=[before])

    sealed = ring.seal("webhook", "crm", conf)

    for secret in (SECRET, before):
        assert secret[6:] not in str(sealed)
        assert secret[6:] not in str(redact(conf))
        assert secret[6:] not in repr(conf)
    assert ring.open("webhook", "crm", sealed, Known()) == conf
    assert WebhookConf.model_validate(sealed).wants("call.ended", None)


def test_every_new_secret_is_another_one() -> None:
    assert len({new_webhook_secret() for _ in range(100)}) == 100
