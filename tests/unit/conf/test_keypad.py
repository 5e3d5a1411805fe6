"""The key map is checked when it is saved."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.conf.models import AgentConf

TRANSFER = {"type": "transfer_call", "destinations": {"human": {"number": "+15550100777"}}}
SWITCH = {"type": "switch_agent", "agents": {"billing": "for bills"}}


def agent(key: dict[str, Any], *tools: dict[str, Any]) -> dict[str, Any]:
    return {"tools": list(tools), "keypad": {"keys": {"0": key}}}


def test_keys_lead_where_the_agents_own_tools_lead():
    conf = AgentConf.model_validate(agent({"action": "transfer", "destination": "human"}, TRANSFER))
    assert conf.keypad.keys["0"].action == "transfer"
    AgentConf.model_validate(agent({"action": "switch_agent", "agent": "billing"}, SWITCH))


@pytest.mark.parametrize(
    ("key", "tools", "why"),
    [
        ({"action": "transfer", "destination": "human"}, [], "needs a transfer_call tool that names human"),
        ({"action": "transfer", "destination": "boss"}, [TRANSFER], "no transfer_call tool names; there are: human"),
        ({"action": "switch_agent", "agent": "sales"}, [TRANSFER], "needs a switch_agent tool that names sales"),
        ({"action": "switch_agent", "agent": "sales"}, [SWITCH], "no switch_agent tool names; there are: billing"),
        ({"action": "dance"}, [], "dance"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused_with_its_reason(key, tools, why):
    with pytest.raises(ValidationError, match=why) as refused:
        AgentConf.model_validate(agent(key, *tools))
    assert refused.value.errors()[0]["loc"][0] == "keypad"
