"""Who is on the line, and what an agent's variables stand for in that call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from app.call.hidden_numbers import shown
from app.conf.models import AgentConf, NumberConf, built_in, clean, defaults, zone_of


@dataclass(frozen=True, slots=True)
class Line:
    """The two ends of a phone call."""

    call_sid: str
    caller: str
    called: str
    direction: Literal["inbound", "outbound"] = "inbound"

    @property
    def party(self) -> str:
        """The number at the other end."""
        return self.caller if self.direction == "inbound" else self.called

    @property
    def ours(self) -> str:
        """The number that is ours."""
        return self.called if self.direction == "inbound" else self.caller


def values(
    line: Line, number: NumberConf | None, name: str, agent: AgentConf | None, given: Mapping[str, str]
) -> dict[str, str]:
    """Every variable's value, with that agent; what was `given` with the call wins over all defaults."""
    known = built_in(
        caller=clean(shown(line.caller)),
        called=clean(line.called),
        direction=line.direction,
        agent=name,
        at=datetime.now(UTC),
        zone=zone_of(number, line.ours),
    )
    return known | defaults(agent, number) | {name: clean(value) for name, value in given.items()}
