"""What the writer of a row is told in the light of the other rows, and what is refused because of them."""

from collections.abc import Mapping
from datetime import date

from app.conf.models import (
    AgentConf,
    Conf,
    Finding,
    Known,
    LimitsConf,
    NumberConf,
    TwilioCoreConf,
    WebhookConf,
    absent_colleagues,
)
from app.conf.variables import Rows, empty_variables, readable
from app.errors import ConfInvalid, Fault
from app.outbound.destinations import destination_findings


def advice(name: str, conf: Conf, rows: Rows, known: Known, today: date) -> list[str]:
    """What its writer should know of the row; raises `ConfInvalid` for one that cannot work beside the others."""
    match conf:
        case AgentConf():
            agents = {each for section, each in rows if section == "agent"}
            warnings = known.accept(name, conf, today, more=_destinations(name, conf, rows, known))
            warnings += absent_colleagues(conf, {name} | agents)
        case NumberConf():
            _check_agents(name, conf, rows)
            warnings = conf.doubts
        case WebhookConf():
            warnings = conf.doubts
        case LimitsConf():
            warnings = known.doubts(conf)
        case _:
            return []
    return warnings + empty_variables(name, conf, rows, known)


def _destinations(name: str, agent: AgentConf, rows: Rows, known: Known) -> list[Finding]:
    numbers = readable(rows, "number", NumberConf, known)
    accounts = readable(rows, "twilio", TwilioCoreConf, known)
    return agents_destinations(name, agent, numbers, accounts)


def agents_destinations(
    name: str, agent: AgentConf, numbers: Mapping[str, NumberConf], accounts: Mapping[str, TwilioCoreConf]
) -> list[Finding]:
    """What is wrong with the numbers that its tools name; which account carries a call only the call knows."""
    fallbacks = {each.fallback_number for each in numbers.values() if name in each.agents and each.fallback_number}
    prefixes = [prefix for account in accounts.values() for prefix in account.allowed_dial_prefixes]
    return destination_findings(agent, fallbacks, prefixes)


def _check_agents(name: str, number: NumberConf, rows: Rows) -> None:
    paths = {"agent": number.agent, "hours.closed_agent": number.hours.closed_agent if number.hours else None}
    missing = {path: agent for path, agent in paths.items() if agent and ("agent", agent) not in rows}
    if missing:
        faults = [Fault(path, f"there is no agent/{agent}", "agent_missing") for path, agent in missing.items()]
        raise ConfInvalid("\n".join(f"number/{name}: {fault.path}: {fault.message}" for fault in faults), faults)
