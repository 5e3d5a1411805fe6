"""Somebody, or a machine, has picked up a call that we placed: decisions only."""

from dataclasses import dataclass
from enum import StrEnum

from app.conf.models import MachinePolicy
from app.twilio import twiml


class Picked(StrEnum):
    """Who picked up, in one word."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, answered_by: str) -> "Picked":
        """Twilio's `AnsweredBy`: `human`, `machine_end_beep`, …; anything new is unknown."""
        word = answered_by.partition("_")[0]
        return cls(word) if word in {each.value for each in cls} else cls.UNKNOWN


class Do(StrEnum):
    """What is done about it."""

    NOTHING = "nothing"
    TELL_MODEL = "tell_model"
    LEAVE_MESSAGE = "leave_message"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Answered:
    """Who picked up, in Twilio's words, and what their agent wants done about a machine."""

    account_sid: str
    call_sid: str
    answered_by: str
    policy: MachinePolicy
    language: str


def what_to_do(policy: MachinePolicy, answered_by: str) -> Do:
    """What that agent wants done when this picked up. Whoever may be a person is talked to."""
    match Picked.of(answered_by), policy.action:
        case Picked.FAX, _:
            return Do.HANG_UP
        case Picked.MACHINE, "talk":
            return Do.TELL_MODEL
        case Picked.MACHINE, "leave_message" if policy.message and answered_by.startswith("machine_end"):
            return Do.LEAVE_MESSAGE
        case Picked.MACHINE, _:  # also before a greeting for whose end Twilio was not asked to wait
            return Do.HANG_UP
        case _:
            return Do.NOTHING


def message_of(policy: MachinePolicy, language: str) -> str:
    """What a machine is left, and then the end of the line."""
    return twiml.say_then(policy.message or "", language=language, number=None)
