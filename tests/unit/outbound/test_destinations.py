"""Where an agent's tools may put callers through, as far as that can be known before a call."""

from typing import Any

from app.conf.models import AgentConf
from app.outbound.destinations import destination_findings

ALLOWED = ["+1555765"]
DEAR, SALES, ABROAD = "+19002345678", "+15557654321", "+41445550100"


def transfer(**numbers: str) -> dict[str, Any]:
    return {"type": "transfer_call", "destinations": {name: {"number": number} for name, number in numbers.items()}}


def findings(*tools: dict[str, Any], fallbacks: tuple[str, ...] = (), **fields: Any) -> list[tuple[str, bool]]:
    agent = AgentConf.model_validate({"tools": list(tools), **fields})
    return [(each.path, each.refused) for each in destination_findings(agent, fallbacks, ALLOWED)]


def test_a_number_that_is_never_dialled_is_refused_by_its_field():
    assert findings(transfer(sales=SALES, line=DEAR)) == [("tools.0.destinations.line.number", True)]


def test_a_number_under_no_allowed_prefix_is_told_also_where_only_a_key_leads_there():
    keys = {"0": {"action": "transfer", "destination": "abroad"}}
    found = [("tools.1.destinations.abroad.number", False)]
    assert findings({"type": "end_call"}, transfer(abroad=ABROAD), keypad={"keys": keys}) == found


def test_fallback_numbers_need_no_prefix():
    assert findings(transfer(abroad=ABROAD), fallbacks=(ABROAD,)) == []
    assert findings(transfer(abroad=ABROAD), fallback={"number": ABROAD}) == []


def test_a_recipient_of_texts_whose_number_is_never_used_is_refused_by_its_field():
    assert findings({"type": "send_sms", "recipients": {"line": DEAR, "abroad": ABROAD}}) == [
        ("tools.0.recipients.line", True)
    ]
