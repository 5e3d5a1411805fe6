"""What a session tells that only the journal wants."""

import pytest

from app.call.events import CallEvent, Kind
from app.call.turns.flow import CallFlow
from app.realtime.events import (
    AgentText,
    IdleTimeout,
    ItemAdded,
    McpCallDone,
    McpListProgress,
    RateLimit,
    RateLimits,
    SessionCreated,
    SessionExpiring,
    SessionStatusChanged,
)
from app.realtime.status import SessionStatus


@pytest.mark.parametrize(
    ("event", "kind", "data"),
    [
        (IdleTimeout("item_1"), Kind.CALLER_IDLE, {"item_id": "item_1"}),
        (SessionCreated("sess_1", 5.0), Kind.SESSION_CREATED, {"session_id": "sess_1", "expires_at_s": 5.0}),
        (
            SessionStatusChanged(SessionStatus.ACTIVE, SessionStatus.CONNECTING),
            Kind.SESSION_STATUS,
            {"status": "active", "before": "connecting"},
        ),
        (SessionExpiring(60.0), Kind.SESSION_EXPIRING, {"left_s": 60.0}),
        (McpListProgress("item_1", "completed"), Kind.MCP_LISTED, {"item_id": "item_1", "progress": "completed"}),
        (
            McpCallDone("item_1", "shop", "find", "{}", error="down"),
            Kind.MCP_CALLED,
            {"server": "shop", "name": "find", "arguments": "{}", "output": None, "error": "down"},
        ),
    ],
)
def test_it_is_written_down(event, kind, data):
    assert CallFlow().on_agent(event, 7) == [CallEvent(kind, 7, data)]


def test_limits_are_told_but_not_kept():
    [told] = CallFlow().on_agent(RateLimits((RateLimit("tokens", remaining=9.0),)), 0)
    assert (told.data, told.fleeting) == ({"remaining": {"tokens": 9.0}}, True)


def test_written_words_of_the_agent_are_kept_whole():
    [piece] = CallFlow().on_agent(AgentText("Hel", "item_1"), 0)
    [whole] = CallFlow().on_agent(AgentText("Hello", "item_1", final=True), 0)
    assert (piece.fleeting, whole.fleeting, whole.data["text"]) == (True, False, "Hello")


def test_items_are_the_providers_own_business():
    assert CallFlow().on_agent(ItemAdded("item_1"), 0) == []
