"""What the writer of an agent or a number is told of variables, in the light of the other rows."""

import contextlib
from collections.abc import Mapping
from typing import TypeVar

from app.conf.models import AgentConf, Conf, Known, NumberConf, parse, unfilled, unfilled_by_number
from app.db.core_conf import Row
from app.errors import ConfInvalid

Rows = Mapping[tuple[str, str], Row]
ConfT = TypeVar("ConfT", bound=Conf)


def empty_variables(name: str, conf: Conf, rows: Rows, known: Known) -> list[str]:
    """The variables that calls with this row would find empty."""
    match conf:
        case AgentConf():
            numbers = readable(rows, "number", NumberConf, known)
            return unfilled(conf, {each: number for each, number in numbers.items() if name in number.agents})
        case NumberConf():
            agents = readable(rows, "agent", AgentConf, known)
            return unfilled_by_number(conf, {each: agent for each, agent in agents.items() if each in conf.agents})
        case _:
            return []


def readable(rows: Rows, section: str, kind: type[ConfT], known: Known) -> dict[str, ConfT]:
    """The rows of a section as far as they can be read; their secrets stay sealed."""
    found = {}
    for (row_section, name), row in rows.items():
        if row_section == section:
            with contextlib.suppress(ConfInvalid):  # of a later version; it has warnings of its own
                conf = parse(section, name, row.value, known)
                if isinstance(conf, kind):
                    found[name] = conf
    return found
