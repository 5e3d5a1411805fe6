"""What an operator may write down of a web tool, and what is refused."""

import json
from typing import Any

import pytest

from app.conf.models import AgentConf, HttpTool, Known, fill, parse, unfilled
from app.conf.models.webhooks import new_webhook_secret
from app.conf.secrets import KeyRing, redact
from app.errors import ConfInvalid
from tests.unit.egress.test_addresses import LOCAL_SPELLINGS

ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
TOOL = {
    "type": "http",
    "name": "find_order",
    "description": "Finds an order.",
    "parameters": ORDER,
    "method": "GET",
    "url": "https://shop.example.com/orders/{{args.order}}",
}


def agent(*tools: dict[str, Any], **fields: Any) -> AgentConf:
    conf = parse("agent", "sales", {"tools": list(tools)} | fields, Known())
    assert isinstance(conf, AgentConf)
    return conf


def tool(**fields: Any) -> HttpTool:
    [made] = agent(TOOL | fields).tools
    assert isinstance(made, HttpTool)
    return made


def refusal(**fields: Any) -> str:
    with pytest.raises(ConfInvalid) as refused:
        tool(**fields)
    return str(refused.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": "http://shop.example.com/"}, "https://"),
        ({"url": "https://me:secret-word@shop.example.com/"}, "user name"),
        ({"url": "https://{{args.order}}.example.com/"}, "placeholders stand in its path"),
        ({"url": "https://shop.example.com:{{args.order}}/"}, "placeholders stand in its path"),
        ({"url": "{{call.id}}://shop.example.com/"}, "placeholders stand in its path"),
        ({"url": "{{shop}}"}, "https://"),
        ({"url": "https://shop.example.com/a/../b"}, ". or .."),
        ({"url": "https://shop.example.com/%2e%2e/b"}, ". or .."),
        ({"url": "https://shop.example.com/{{args.customer}}"}, "the parameters have no customer"),
        ({"url": "https://shop.example.com/{{call.secret}}"}, "stands for nothing; there are: {{args.NAME}}"),
        ({"query": {"x": "{{order id}}"}}, "query.x: {{order id}} stands for nothing"),
        ({"method": "POST", "body": {"a": [{"b": "{{args}}"}]}}, "body.a.0.b: {{args}} stands for nothing"),
        ({"method": "POST", "body": {"a": [{"b": "{{digits.Pin}}"}]}}, "body.a.0.b: {{digits.Pin}} stands"),
        ({"body": {"a": 1}}, "body: a GET has none"),
        ({"method": "DELETE", "body": []}, "body: a DELETE has none"),
        ({"headers": {"Host": "x"}}, "not yours to set"),
        ({"headers": {"proxy-authorization": "x"}}, "not yours to set"),
        ({"headers": {"Webhook-Signature": "x"}}, "not yours to set"),
        ({"headers": {"a b": "x"}}, "letters, digits"),
        ({"headers": {"x-a": "one\r\nx-b: two"}}, "line breaks"),
        ({"headers": {"x-a": "one", "X-A": "two"}}, "twice"),
        ({"headers": {"x-a": "{{args.order}}"}}, "do not go into headers"),
        ({"signing_secret": "not a secret"}, "whsec_"),
        ({"allow_private": ["10.0.0.1/8"]}, "neither a network"),
        ({"output": {"pointer": "status"}}, "a JSON pointer"),
        ({"output": {"pointer": "/a~2"}}, "a JSON pointer"),
        ({"output": {"template": "It is {{status}}."}}, "no pointer into the answer"),
        ({"parameters": {"type": "array"}}, "the arguments are an object"),
        ({"parameters": {"type": "object", "properties": {"order": {"type": "text"}}}}, "not a JSON Schema"),
        ({"parameters": ORDER | {"required": "order"}}, "not a JSON Schema"),
    ],
)
def test_a_tool_that_could_not_work_is_refused_when_it_is_saved(fields: dict[str, Any], reason: str) -> None:
    words = refusal(**fields)

    assert reason in words
    assert "secret-word" not in words


@pytest.mark.parametrize("host", LOCAL_SPELLINGS)
def test_s10_no_spelling_of_a_local_host_is_saved(host: str) -> None:
    refusal(url=f"https://{host}/x")
    refusal(url=f"http://{host}/x")


def test_s10_a_host_on_a_network_of_ones_own_is_let_in_by_each_tool_for_itself() -> None:
    assert tool(url="http://10.1.2.3/", allow_private=["10.0.0.0/8"])
    assert "metadata" in refusal(url="http://169.254.169.254/", allow_private=["0.0.0.0/0"])


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    return tool(parameters=schema, url="https://shop.example.com/").parameters


def test_s19_every_object_of_the_arguments_takes_no_other_fields_than_it_names() -> None:
    item = {"type": "object", "properties": {"sku": {"type": "string"}}}
    schema = closed(
        {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": item},
                "address": {"type": ["object", "null"], "properties": {"street": {"type": "string"}}},
                "free": {"type": "object", "additionalProperties": True},
                "either": {"anyOf": [item, {"type": "null"}]},
            },
        }
    )

    assert schema["additionalProperties"] is False
    inside = schema["properties"]
    assert inside["items"]["items"]["additionalProperties"] is False
    assert inside["address"]["additionalProperties"] is False
    assert inside["free"]["additionalProperties"] is True
    assert inside["either"]["unevaluatedProperties"] is False
    assert closed(schema) == schema


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"name": "a", "size": 1}, True),
        ({"name": "a", "size": 1, "extra": 1}, False),
        ({"name": "a", "inner": {"name": "b"}}, True),
        ({"name": "a", "inner": {"name": "b", "extra": 1}}, False),
    ],
)
def test_s19_a_schema_of_several_parts_is_closed_as_a_whole(arguments: dict[str, Any], fits: bool) -> None:
    from jsonschema import Draft202012Validator

    schema = closed(
        {
            "type": "object",
            "allOf": [{"$ref": "#/$defs/named"}, {"properties": {"size": {"type": "integer"}}}],
            "properties": {"inner": {"$ref": "#/$defs/named"}},
            "$defs": {"named": {"type": "object", "properties": {"name": {"type": "string"}}}},
        }
    )

    assert Draft202012Validator(schema).is_valid(arguments) is fits


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"$ref": "https://evil.example.com/schema.json"}, "nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
        ({"$ref": "#/$defs/nobody"}, "there is no schema at"),
        ({"$ref": "#/hidden"}, "there is no schema at"),
        ({"$dynamicRef": "#x"}, "$dynamicRef is not understood"),
        ({"$id": "https://evil.example.com/"}, "$id is not understood"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema"),
        ({"pattern": "("}, "pattern"),
    ],
)
def test_a_schema_needs_nothing_from_outside_and_can_be_used(part: dict[str, Any], reason: str) -> None:
    hidden = {"hidden": {"$ref": "https://evil.example.com/schema.json"}}
    assert reason in refusal(parameters={"type": "object", "properties": {"order": part}} | hidden)
    assert reason in refusal(parameters={"type": "object", "$defs": {"x": {"items": part}}} | hidden)


def test_a_schema_that_refers_to_itself_for_ever_is_refused() -> None:
    assert "refers to itself" in refusal(parameters={"type": "object", "$ref": "#"})


def test_secrets_are_sealed_shown_masked_and_read_again() -> None:
    made = agent(
        TOOL | {"headers": {"authorization": "Bearer of-the-shop-9876"}, "signing_secret": new_webhook_secret()}
    )
    ring = KeyRing(["k" * 32])

    sealed = ring.seal("agent", "sales", made)
    assert "of-the-shop" not in json.dumps(sealed) + json.dumps(redact(made)) + repr(made)
    assert redact(made)["tools"][0]["headers"] == {"authorization": "****9876"}
    assert ring.open("agent", "sales", sealed, Known()) == made


@pytest.mark.parametrize(
    ("fields", "finishes"),
    [
        ({}, False),
        ({"method": "POST"}, True),
        ({"method": "POST", "on_hang_up": "cancel"}, False),
        ({"on_hang_up": "finish"}, True),
    ],
)
def test_what_only_reads_is_cancelled_on_hang_up_unless_somebody_says_otherwise(
    fields: dict[str, Any], finishes: bool
) -> None:
    assert tool(**fields).finishes_after_hang_up is finishes


def test_a_calls_variables_go_along_with_the_tool_and_what_lacks_a_value_is_told() -> None:
    made = agent(TOOL | {"query": {"shop": "{{shop}}"}, "headers": {"x-tenant": "{{tenant}}"}}, variables={"shop": "1"})

    filled, missing = fill(made, {"shop": "7", "other": "8"})

    [ready], [before] = filled.tools, made.tools
    assert isinstance(ready, HttpTool)
    assert isinstance(before, HttpTool)
    assert (ready.variables, before.variables, missing) == ({"shop": "7"}, {}, ("tenant",))
    [warning] = unfilled(made, {})
    assert warning.startswith("tools.0.headers.x-tenant: {{tenant}} has no value")
