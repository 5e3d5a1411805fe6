"""What has been said and done so far, as a session that takes a conversation over is told of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words of one speaker; the agent's are those that the caller heard."""

    speaker: Literal["caller", "agent"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolAsked:
    """The model asked for a tool; without a `ToolAnswered` of the same `call_id` it still waits."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What the tool gave back."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the model was told by the house, not by a speaker."""

    text: str


HistoryItem = Spoken | ToolAsked | ToolAnswered | Told
