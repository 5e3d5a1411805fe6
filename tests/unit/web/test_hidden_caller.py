"""A caller who hides their number has none, wherever it would be told."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.call.tools.digits import CollectedDigits
from app.conf.models import AgentConf
from app.web.call_tools import call_context, tool_context
from app.web.line import Line, values


@pytest.mark.parametrize("hidden", ["anonymous", "+266696687", "Restricted", "sip:anonymous@anonymous.invalid", ""])
def test_tools_and_texts_are_told_no_number(hidden: str) -> None:
    arrival: Any = SimpleNamespace(call_id="c", from_number=hidden, to_number="+15550100100", agent_name="sales")
    assert call_context(arrival, CollectedDigits()).values["caller"] == ""
    assert tool_context(arrival).caller == ""
    assert values(Line("CA1", hidden, "+15550100100"), None, "sales", AgentConf(), {})["caller_number"] == ""


def test_a_number_that_is_shown_is_told_as_it_came() -> None:
    arrival: Any = SimpleNamespace(call_id="c", from_number="+15550100123", to_number="", agent_name="sales")
    assert tool_context(arrival).caller == "+15550100123"
