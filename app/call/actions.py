"""What a call does next: decided by the flow, performed by the bridge."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from app.call.events import CallEvent
from app.call.status import EndReason
from app.realtime.events import ToolCall


@dataclass(frozen=True, slots=True)
class Play:
    """Queue base64 audio of whole frames at the carrier, and a mark behind it."""

    audio: str
    mark: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop everything queued at the carrier."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tell the model what the caller heard of that item."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool beside the audio and answer the model."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class AnswerTool:
    """Answer a tool call that needs no running."""

    call: ToolCall
    output: str


@dataclass(frozen=True, slots=True)
class AnswerApproval:
    """Let the provider's own tool run, or not."""

    request_id: str
    approve: bool


@dataclass(frozen=True, slots=True)
class TellModel:
    """Give the model a text in the caller's name, or as the system, and let it answer."""

    text: str
    role: Literal["user", "system"] = "user"
    respond: bool = True
    lasting: bool = True
    """Whether a session that takes the call over must know it as well."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Let the model answer once more."""


@dataclass(frozen=True, slots=True)
class Say:
    """Let the model say exactly this."""

    text: str
    only_words: bool = False
    """Whether it must call no tool in that answer."""


@dataclass(frozen=True, slots=True)
class Instruct:
    """Replace what the agent is told, for the rest of the call."""

    instructions: str


@dataclass(frozen=True, slots=True)
class Listen:
    """From now on let the model answer the caller by itself, or only listen."""

    answers: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """Do something beside the audio; whatever goes wrong there stays there."""

    work: Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Greet:
    """Let the model say the first words."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Let the model stop the answer under way."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """This session is of no more use: go on in another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wake:
    """Look at the time again that much later."""

    after_ms: float


@dataclass(frozen=True, slots=True)
class End:
    """The call is over."""

    reason: EndReason


ForModel = Truncate | AnswerTool | AnswerApproval | TellModel | Greet | Respond | Say | Instruct | Listen | Cancel
Action = Play | Clear | RunTool | Beside | Reconnect | Wake | End | CallEvent | ForModel
