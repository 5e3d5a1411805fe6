"""What the caller's keys do."""

from typing import Annotated, Literal

from pydantic import Field

from app.conf.models.base import Conf, RowName

Key = Annotated[str, Field(pattern=r"^[0-9*#A-D]$")]


class KeyTransfers(Conf):
    """Puts the caller through to a destination of the agent's transfer tool."""

    action: Literal["transfer"]
    destination: str


class KeySwitches(Conf):
    """Lets another agent take over."""

    action: Literal["switch_agent"]
    agent: RowName


class KeyEnds(Conf):
    """Ends the call; the agent says goodbye."""

    action: Literal["end_call"]


class KeyTells(Conf):
    """Tells the model something in the caller's name, and lets it answer."""

    action: Literal["tell"]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


KeyAction = Annotated[KeyTransfers | KeySwitches | KeyEnds | KeyTells, Field(discriminator="action")]


class KeypadConf(Conf):
    """What happens when the caller presses keys."""

    keys: dict[Key, KeyAction] = Field(default_factory=dict)
    """What a key does at once, whatever the model thinks. Only the first key of an input: in 1203 the 0 is a digit."""
    tell_model: bool = True
    """Whether the model gets the other keys as a text, all that belong together at once."""
    pause_ms: Annotated[int, Field(ge=200, le=10_000)] = 1500
    """Without another key for so long, or with #, an input is complete."""
