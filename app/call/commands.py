"""What somebody outside may ask of a live call, and what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import msgspec

from app.errors import CommandRefused


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call, with a message where there is one: spoken by the agent, and heard before the line closes."""

    message: str | None = None


@dataclass(frozen=True, slots=True)
class SayWords:
    """Let the agent say exactly this."""

    text: str


@dataclass(frozen=True, slots=True)
class GiveText:
    """Give the model a text, in the caller's name or in the operator's; with `respond` it answers."""

    text: str
    role: Literal["user", "system"] = "user"
    respond: bool = True


@dataclass(frozen=True, slots=True)
class ChangeInstructions:
    """Replace what the agent is told, for the rest of the call."""

    instructions: str


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Forward the caller to that number; the announcement is heard first."""

    to: str
    announce: str | None = None


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Keep nothing of what is said from here on."""


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Keep it again."""


@dataclass(frozen=True, slots=True)
class RestartSession:
    """Go on in another session of the model's, which knows the conversation."""


@dataclass(frozen=True, slots=True)
class PickedUp:
    """The carrier says who picked up a call that we placed."""

    answered_by: str


Command = (
    HangUp
    | SayWords
    | GiveText
    | ChangeInstructions
    | TransferCall
    | PauseRecording
    | ResumeRecording
    | RestartSession
    | PickedUp
)
KINDS: Mapping[str, type[Command]] = {
    "hang_up": HangUp,
    "say": SayWords,
    "send_text": GiveText,
    "update_instructions": ChangeInstructions,
    "transfer": TransferCall,
    "pause_recording": PauseRecording,
    "resume_recording": ResumeRecording,
    "restart_session": RestartSession,
    "picked_up": PickedUp,
}
"""The commands by the names that they have in journals, in the audit log and in the database."""
_NAMES = {kind: name for name, kind in KINDS.items()}

Outcome = Literal["done", "under_way", "unchanged"]
"""`under_way` where it is done as soon as the caller has heard some words; `unchanged` where it was so already."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A command as it goes from one process to another."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


def name_of(command: Command) -> str:
    """What the command is called."""
    return _NAMES[type(command)]


def pack(command: Command) -> Sent:
    """The command, ready to be sent."""
    return Sent(name_of(command), asdict(command))


def unpack(sent: Sent) -> Command:
    """The command that was sent; raises `CommandRefused` for one that this release does not know."""
    try:
        command: Command = msgspec.convert(sent.data, type=KINDS[sent.kind])
    except (KeyError, msgspec.ValidationError):
        raise CommandRefused(
            "unknown_command", "The server that carries the call is of another release, and does not know this."
        ) from None
    return command
