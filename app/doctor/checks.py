"""What can be seen without calling anybody: settings, database, keys, rows."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from app.conf.advice import agents_destinations
from app.conf.models import DEFAULT, AgentConf, Known, NumberConf, Risk, TwilioCoreConf
from app.conf.opening import Opened
from app.conf.store import ConfStore
from app.db import core_conf
from app.db.engine import db_session
from app.doctor.report import Check
from app.errors import ConfError, DatabaseError


def public_url(url: str | None) -> Check:
    """Whether Twilio could reach us under that URL."""
    what = "PUBLIC_URL"
    if url is None:
        return Check(what, "problem", "not set: no phone call can reach this server")
    if urlsplit(url).scheme != "https":
        return Check(what, "warning", f"{url}: good for rehearsals on this machine only; Twilio needs https")
    return Check(what, "ok", f"{url} (whether Twilio reaches it shows only in a call)")


async def database(opened: Opened, known: Known) -> list[Check]:
    """Whether the database is there, and every row can be read with the keys we hold."""
    try:
        async with db_session(opened.engine) as db:
            rows = await core_conf.read_rows(db)
    except DatabaseError as error:
        return [Check("database", "problem", f"{error}; calls are answered from the last snapshot")]
    unreadable = []
    for row in rows:
        try:
            opened.key_ring.open(row.section, row.name, row.value, known)
        except ConfError as error:
            unreadable.append(Check(f"{row.section}/{row.name}", "problem", str(error)))
    keys = Check("key ring", "ok", f"opens all {len(rows)} rows of core_conf")
    return [Check("database", "ok", "answers, and its tables are up to date"), *(unreadable or [keys])]


def rows(store: ConfStore, known: Known, today: date) -> list[Check]:
    """Whether there is an agent for the callers, with an account to pay and a model that lasts."""
    found = [_twilio(store), _numbers(store)]
    found += [Check("accounts", "problem", warning) for warning in store.warnings()]
    found += [Check("limits", "warning", doubt) for doubt in known.doubts(store.limits())]
    agents = store.agents()
    risks = known.risks(agents, today) + _destinations(store, agents)
    found += [
        Check(f"agent/{risk.agent}", "problem" if risk.finding.refused else "warning", str(risk.finding))
        for risk in risks
    ]
    at_risk = {risk.agent for risk in risks}
    found += [
        Check(f"agent/{name}", "ok", f"{agent.model}, voice {agent.voice}")
        for name, agent in agents.items()
        if name not in at_risk
    ]
    return found


def _destinations(store: ConfStore, agents: Mapping[str, AgentConf]) -> list[Risk]:
    """Numbers in agents' tools that no call could use."""
    numbers, accounts = store.all_of(NumberConf), store.all_of(TwilioCoreConf)
    return [
        Risk(name, finding)
        for name, agent in agents.items()
        for finding in agents_destinations(name, agent, numbers, accounts)
    ]


def _twilio(store: ConfStore) -> Check:
    names = [row.name for row in store.rows("twilio")]
    if not names:
        return Check("twilio", "problem", "no account is set: without its auth token every webhook is refused")
    return Check("twilio", "ok", f"accounts: {', '.join(names)}")


def _numbers(store: ConfStore) -> Check:
    answered = [f"{row.name} is answered by agent {row.value['agent']}" for row in store.rows("number")]
    if not answered:
        return Check("numbers", "problem", "no agent answers any number: every call is rejected")
    if store.number(DEFAULT) is None:
        return Check("numbers", "warning", f"{'; '.join(answered)}; calls to other numbers are rejected")
    return Check("numbers", "ok", "; ".join(answered))
