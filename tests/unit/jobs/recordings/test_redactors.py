"""What is not kept of a recording's words, whoever talked in its call."""

from app.conf.models import AgentConf
from app.errors import ConfMissing
from app.jobs.recordings.redactors import redactor_of

AGENTS = {
    "open": AgentConf.model_validate({"redaction": {"card_numbers": False}}),
    "billing": AgentConf.model_validate({"redaction": {"patterns": {"customer": "K-[0-9]+"}}}),
}
SAID = "K-12 pays with 4111 1111 1111 1111"


def agent(name: str) -> AgentConf:
    if name in AGENTS:
        return AGENTS[name]
    raise ConfMissing(name)


def test_what_any_of_the_agents_removes_is_removed():
    assert redactor_of(["open"], agent).text(SAID) == SAID
    assert redactor_of(["open", "billing"], agent).text(SAID) == "[customer] pays with [card number]"
    assert redactor_of(["gone", "open"], agent).text(SAID) == SAID


def test_where_all_agents_are_gone_card_numbers_are_removed_all_the_same():
    assert redactor_of(["gone"], agent).text(SAID) == "K-12 pays with [card number]"
