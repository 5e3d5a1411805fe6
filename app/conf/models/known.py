"""What this build knows of its providers, as configuration is checked against it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from app.errors import ConfInvalid, Fault

if TYPE_CHECKING:
    from app.conf.models.agent import AgentConf
    from app.conf.models.limits import LimitsConf

Modernised = tuple[dict[str, Any], list[str]]
"""A value in today's words, and warnings that say what was replaced or dropped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an agent that its operator should know; `refused` when it cannot work so."""

    path: str
    text: str
    refused: bool = False
    last_day: date | None = None
    """Of what the finding is about, where that is what it says."""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass(frozen=True, slots=True)
class Risk:
    """A finding about an agent that is already saved."""

    agent: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """What is known of one provider's agents: its old words, and what it would refuse on a given day."""

    modernise: Callable[[Mapping[str, Any]], Modernised] = lambda value: (dict(value), [])
    inspect: Callable[["AgentConf", date], list[Finding]] = lambda _agent, _today: []


@dataclass(frozen=True, slots=True)
class KnownFunction:
    """A Python function as a model is told of it; `parameters` is a JSON Schema."""

    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """The providers that have a session factory, each with its rules, and the Python functions that may be tools."""

    providers: Mapping[str, ProviderRules] = field(default_factory=lambda: {"openai": ProviderRules()})
    functions: Mapping[str, KnownFunction] | None = None
    """By their names; none where nobody looked for them."""
    max_calls: int | None = None
    """How many calls a process carries at once; None where nobody knows."""

    def modernise(self, name: str, value: Mapping[str, Any]) -> Modernised:
        """An agent's value in today's words; raises `ConfInvalid` where an old and a new word disagree."""
        rules = self.providers.get(str(value.get("provider", "openai")), ProviderRules())
        try:
            return rules.modernise(value)
        except ConfInvalid as error:
            raise ConfInvalid(f"agent/{name}: {error}") from None

    def accept(self, name: str, agent: "AgentConf", today: date, more: Iterable[Finding] = ()) -> list[str]:
        """Warnings about an agent that is being saved; raises `ConfInvalid` for one that cannot work.

        `more` is what was found beside what the agent alone tells.
        """
        findings = [*self._inspect(agent, today), *more]
        if refused := [finding for finding in findings if finding.refused]:
            lines = "\n".join(f"agent/{name}: {finding}" for finding in refused)
            raise ConfInvalid(lines, [Fault(finding.path, finding.text) for finding in refused])
        return [str(finding) for finding in findings]

    def doubts(self, limits: "LimitsConf") -> list[str]:
        """What the writer of these limits may not expect."""
        if limits.calls is None or self.max_calls is None or limits.calls <= self.max_calls:
            return []
        return [f"calls: {limits.calls} is more than a server takes, which is {self.max_calls}: set MAX_CALLS as well"]

    def risks(self, agents: Mapping[str, "AgentConf"], today: date) -> list[Risk]:
        """What may keep saved agents from answering, now or soon."""
        return [Risk(name, finding) for name, agent in agents.items() for finding in self._inspect(agent, today)]

    def _inspect(self, agent: "AgentConf", today: date) -> list[Finding]:
        rules = self.providers.get(agent.provider, ProviderRules())
        return [*rules.inspect(agent, today), *self._missing(agent), *agent.doubts]

    def _missing(self, agent: "AgentConf") -> list[Finding]:
        """Its tools without a function, which the model is not offered."""
        if self.functions is None:
            return []
        there_are = f"there are: {', '.join(sorted(self.functions))}" if self.functions else "there are none"
        return [
            Finding(f"tools.{place}", f"no Python function {name}; {there_are}", refused=True)
            for place, name in agent.missing_functions
        ]
