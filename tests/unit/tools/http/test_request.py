"""The request that a web tool becomes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.conf.models.webhooks import new_webhook_secret
from app.errors import ToolError
from app.tools.http.request import request, sent_headers
from tests.unit.tools.http.shop import tool, values

SHOP = "https://shop.example.com"
NOW = datetime.now(UTC)


def asked(fields: dict[str, Any], **args: Any) -> Any:
    return request(tool(**fields), values(**args), "key")


def url(address: str, **args: Any) -> str:
    return str(asked({"url": SHOP + address, "method": "GET"}, **args).url).removeprefix(SHOP)


def body(template: Any, **args: Any) -> Any:
    return json.loads(asked({"body": template}, **args).body)


@pytest.mark.parametrize(
    ("order", "path"),
    [
        ("A 7/8", "/orders/A%207%2F8/lines"),
        ("7?admin=1#x", "/orders/7%3Fadmin%3D1%23x/lines"),
        ("é%2e", "/orders/%C3%A9%252e/lines"),
        ("a\r\nb", "/orders/a%0D%0Ab/lines"),
        ("...", "/orders/.../lines"),
        ("{{call.caller}}", "/orders/%7B%7Bcall.caller%7D%7D/lines"),
    ],
)
def test_an_argument_never_leaves_its_segment_of_the_path(order: str, path: str) -> None:
    assert url("/orders/{{args.order}}/lines", order=order) == path


@pytest.mark.parametrize("order", ["..", ".", "../admin", "x/../..", "..\\admin", "a/.", "/.."])
def test_an_argument_never_climbs(order: str) -> None:
    with pytest.raises(ToolError, match="must not be"):
        url("/orders/{{args.order}}", order=order)


def test_two_arguments_never_climb_together() -> None:
    with pytest.raises(ToolError, match="must not be"):
        url("/{{args.order}}{{args.note}}/x", order=".", note=".")


@pytest.mark.parametrize("args", [{}, {"order": ""}])
def test_a_path_without_its_value_asks_for_nothing_else(args: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="needs a value for order"):
        url("/orders/{{args.order}}", **args)


def test_values_stand_in_a_query_as_values() -> None:
    asked_for = asked(
        {
            "method": "GET",
            "url": f"{SHOP}/find?v=1&q={{{{args.note}}}}",
            "query": {"shop": "{{shop}}", "from": "{{call.caller}}", "n": "{{args.count}}", "none": "{{args.order}}"},
        },
        note="a&b=c",
        count=2,
    )

    assert asked_for.url == f"{SHOP}/find?v=1&q=a%26b%3Dc&shop=North%20%26%20South&from=%2B15550100123&n=2"


def test_arguments_without_a_place_go_into_the_query_where_there_is_no_body() -> None:
    assert url("/orders/{{args.order}}", order="7", gift=True, lines=[{"sku": "a"}]) == (
        "/orders/7?gift=true&lines=%5B%7B%22sku%22%3A%22a%22%7D%5D"
    )


def test_a_url_that_would_be_too_long_is_not_asked() -> None:
    with pytest.raises(ToolError, match="too long"):
        url("/{{args.note}}", note="x" * 3000)


def test_without_a_body_of_its_own_a_request_has_all_arguments() -> None:
    assert json.loads(asked({}, order="7", count=2).body) == {"order": "7", "count": 2}
    assert asked({"method": "DELETE"}, order="7").body is None


def test_a_text_that_is_one_place_keeps_its_type_and_what_is_missing_is_left_out() -> None:
    template = {
        "n": "{{args.count}}",
        "gift": "{{ args.gift }}",
        "lines": "{{args.lines}}",
        "first": "{{args.lines.0.sku}}",
        "text": "{{args.count}} for {{shop}}, {{args.order}}!",
        "none": "{{args.order}}",
        "list": ["{{args.order}}", "{{call.agent}}"],
        "card": "{{digits.card}}",
        "as_is": [1, None, True],
    }

    assert body(template, count=2, gift=False, lines=[{"sku": "a"}]) == {
        "n": 2,
        "gift": False,
        "lines": [{"sku": "a"}],
        "first": "a",
        "text": "2 for North & South, !",
        "list": ["sales"],
        "card": "4111 1111",
        "as_is": [1, None, True],
    }


def test_what_looks_like_a_place_inside_of_a_value_stays_as_it_stands() -> None:
    assert body({"note": "{{args.note}}", "more": "say {{args.note}}"}, note="{{digits.card}}") == {
        "note": "{{digits.card}}",
        "more": "say {{digits.card}}",
    }


def test_headers_have_the_calls_values_and_ours_that_nobody_can_forge() -> None:
    secret = new_webhook_secret()
    made = tool(headers={"Authorization": "Bearer xyz", "X-Shop": "{{shop}} "[:-1]}, signing_secret=secret)
    asked_for = request(made, values(order="é"), "one-key")

    headers = sent_headers(asked_for, made, NOW)

    assert headers["authorization"] == "Bearer xyz"
    assert headers["x-shop"] == "North & South"
    assert headers["idempotency-key"] == headers["webhook-id"] == "one-key"
    assert Webhook(secret).verify(asked_for.body or "", headers) == {"order": "é"}
    assert "xyz" not in repr(asked_for)
    assert sent_headers(asked_for, made, NOW) == headers
    get = request(tool(method="GET", signing_secret=secret), values(), "one-key")
    assert "content-type" not in sent_headers(get, tool(signing_secret=secret), NOW)


def test_a_content_type_of_ones_own_is_kept() -> None:
    made = tool(headers={"Content-Type": "application/vnd.api+json"})

    assert sent_headers(request(made, values(), "k"), made, NOW)["content-type"] == "application/vnd.api+json"
