"""What the model is told of an answer."""

from typing import Any

import httpx
import pytest

from app.conf.models import OutputMap
from app.egress.exchange import Answer
from app.errors import ToolError
from app.tools.http.answer import DONE, Failed, told
from tests.unit.tools.http.shop import tool

JSON = "application/json"
ORDERS = b'{"orders": [{"id": 12345678901234567890123, "state": "sent", "a/b": 1.50, "none": null}], "total": 1}'


def said(
    body: bytes | str = b"",
    status: int = 200,
    kind: str | None = JSON,
    *,
    whole: bool = True,
    coding: str | None = None,
    most: int = 262_144,
    **output: Any,
) -> str:
    data = body.encode() if isinstance(body, str) else body
    headers = {"content-type": kind, "content-encoding": coding}
    sent = httpx.Headers({name: value for name, value in headers.items() if value is not None})
    return told(tool(output=OutputMap(**output), max_response_bytes=most), Answer(status, sent, data, whole))


def test_json_is_told_as_it_was_written() -> None:
    assert said(ORDERS) == ORDERS.decode()


@pytest.mark.parametrize(
    ("output", "told_of_it"),
    [
        ({"pointer": "/orders/0/state"}, "sent"),
        ({"pointer": "/orders/0/id"}, "12345678901234567890123"),
        ({"pointer": "/orders/0/a~1b"}, "1.5"),
        ({"pointer": "/orders/0/none"}, ""),
        ({"pointer": ""}, None),
        ({"pointer": "/total"}, "1"),
        ({"template": "Order {{/orders/0/id}} is {{/orders/0/state}}{{/orders/9/x}}."},
         "Order 12345678901234567890123 is sent."),
        ({"pointer": "/orders/0", "template": "It is {{ /state }}."}, "It is sent."),
    ],
)  # fmt: skip
def test_an_output_map_picks_what_matters(output: dict[str, str], told_of_it: str | None) -> None:
    if told_of_it is not None:
        assert said(ORDERS, **output) == told_of_it
    else:
        assert said(ORDERS, **output).startswith('{"orders":[{"id":12345678901234567890123,')


def test_what_a_service_puts_into_its_answer_fills_no_place() -> None:
    assert said('{"a": "{{/b}}", "b": "secret"}', template="{{/a}}") == "{{/b}}"


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (201, b" \n"), (204, b"ignored")])
def test_an_answer_without_content_is_done(status: int, body: bytes) -> None:
    assert said(body, status, kind=None, pointer="/x") == DONE


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": '{"a": ', "pointer": "/a"}, "not valid JSON"),
        ({"body": '{"a": '}, "not valid JSON"),
        ({"body": "[" * 100_000}, "not valid JSON"),
        ({"body": "hello", "kind": "text/plain", "pointer": "/a"}, "not valid JSON"),
        ({"body": "{}", "pointer": "/a"}, "does not have what was asked for"),
        ({"body": "x", "status": 302}, "redirect"),
        ({"body": b"\xff\xfe\xfa"}, "cannot be read as utf-8"),
        ({"body": b"\xe9", "kind": "text/plain; charset=utf-8"}, "cannot be read as utf-8"),
        ({"body": b"x", "kind": "text/plain; charset=klingon"}, "cannot be read as klingon"),
        ({"body": b"x", "kind": "text/plain; charset=idna"}, "cannot be read as idna"),
        ({"body": b"x", "kind": "text/plain; charset=zlib"}, "cannot be read as zlib"),
        ({"body": b"\x89PNG", "kind": "image/png"}, "no text, but image/png"),
        ({"body": b"\x1f\x8b", "coding": "gzip"}, "compressed"),
        ({"body": b"\x1f\x8b", "coding": "br, gzip"}, "compressed"),
        ({"body": b"x" * 10, "whole": False, "most": 10}, "longer than 10 bytes"),
        ({"body": b"", "status": 404}, r"refused it \(404\)\.$"),
        ({"body": "<html>stack</html>", "status": 404, "kind": "text/html"}, r"refused it \(404\)\.$"),
        ({"body": '{"error": "no such order"}', "status": 404}, r"refused it \(404\): .*no such order"),
        ({"body": b"\x1f\x8b", "status": 400, "coding": "gzip"}, r"refused it \(400\)\.$"),
        ({"body": b"", "status": 100}, "refused"),
    ],
)
def test_f32_what_cannot_be_used_is_a_short_error_that_no_other_try_would_mend(
    fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ToolError, match=words) as failed:
        said(**fields)
    assert not isinstance(failed.value, Failed)
    assert len(str(failed.value)) < 200


@pytest.mark.parametrize(
    "fields", [{"status": 500}, {"status": 503}, {"status": 429}, {"status": 408}, {"body": b"{", "whole": False}]
)
def test_f32_what_another_try_could_mend_tells_nothing_of_the_services_inside(fields: dict[str, Any]) -> None:
    with pytest.raises(Failed) as failed:
        said(**({"body": b"Traceback: line 7"} | fields))
    assert "Traceback" not in str(failed.value)


def test_what_a_service_says_to_a_refusal_is_cut() -> None:
    with pytest.raises(ToolError) as failed:
        said("x" * 50_000, 400, kind="text/plain")
    assert len(str(failed.value)) < 2100


def test_text_is_read_in_its_own_characters() -> None:
    assert said("café".encode("latin-1"), kind="text/plain; charset=ISO-8859-1") == "café"
    assert said("\ufeff{}".encode(), kind="application/problem+json; charset=utf-8") == "{}"
    assert said("café", kind=None) == "café"
