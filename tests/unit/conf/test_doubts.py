"""What is saved although it does not do what its writer may think."""

from datetime import date
from typing import Any

import pytest

from app.conf.models import AgentConf, Known, NumberConf, WebhookConf, new_webhook_secret

PIN = {
    "type": "http", "name": "check_pin", "description": "Checks it.", "url": "https://shop.example.com/pins",
    "body": {"pin": ["{{digits.pin}}"]}, "headers": {"X-Pin": "{{digits.pin}}"},
}  # fmt: skip
MCP = {"type": "mcp", "server_label": "crm", "server_url": "https://mcp.example.com/sse"}
PRECALL = {"url": "https://10.0.0.1/", "secret": new_webhook_secret()}
QUIET = {"transcription": None}
DEAF = {"turn_detection": {"type": "server_vad", "interrupt_response": False}}


def doubts(**fields: Any) -> list[str]:
    conf = AgentConf.model_validate(fields)
    found = Known().accept("a", conf, date(2026, 11, 1))
    assert [str(risk.finding) for risk in Known().risks({"a": conf}, date(2026, 11, 1))] == found
    return found


def paths(found: list[str]) -> list[str]:
    return [each.partition(":")[0] for each in found]


def test_digits_that_no_tool_stores_are_told_by_their_place():
    other = {"type": "collect_digits", "store_as": "account"}
    found = doubts(tools=[other, PIN])
    assert paths(found) == ["tools.1.headers.X-Pin", "tools.1.body.pin.0"]
    assert "no collect_digits tool of this agent stores pin" in found[0]
    assert doubts(tools=[PIN, {"type": "collect_digits", "store_as": "pin"}]) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (QUIET, "hold"),
        (DEAF | {"min_barge_in_ms": 300}, "min_barge_in_ms"),
        ({"turn_detection": None, "hold": None, "min_barge_in_ms": 1}, "min_barge_in_ms"),
        ({"half_duplex": True, "min_barge_in_ms": 300}, "min_barge_in_ms"),
        ({"tools": [MCP]}, "tools.0.approve"),
        ({"tools": [MCP | {"require_approval": "always", "approve": []}]}, "tools.0.approve"),
        ({"tools": [PIN | {"body": {}, "headers": {}, "allow_private": ["::/0"]}]}, "tools.0.allow_private"),
        ({"precall": PRECALL | {"allow_private": ["0.0.0.0/0"]}}, "precall.allow_private"),
    ],
)
def test_what_has_no_effect_or_more_than_is_meant_is_told_by_its_field(fields: dict[str, Any], path: str):
    assert paths(doubts(**fields)) == [path]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        QUIET | {"hold": None},
        {"min_barge_in_ms": 300},
        DEAF | {"greeting_interruptible": False},
        {"tools": [MCP | {"approve": ["find"]}]},
        {"tools": [MCP | {"require_approval": "never"}]},
        {"tools": [MCP | {"require_approval": {"never": {"read_only": True}}}]},
        {"precall": PRECALL | {"allow_private": ["10.0.0.0/8", "fc00::/7", "crm.internal", "192.168.1.5"]}},
    ],
)
def test_what_works_as_it_is_written_is_told_nothing(fields: dict[str, Any]):
    assert doubts(**fields) == []


def test_a_list_that_lets_everything_in_is_told_of_numbers_and_webhooks_too():
    wide = PRECALL | {"allow_private": ["0.0.0.0/1", "10.0.0.0/8"]}
    [told] = NumberConf.model_validate({"agent": "a", "precall": wide}).doubts
    assert told.startswith("precall.allow_private: 0.0.0.0/1 ")
    assert paths(WebhookConf.model_validate(wide).doubts) == ["allow_private"]
    assert WebhookConf.model_validate(PRECALL | {"allow_private": ["10.0.0.0/8"]}).doubts == []
