"""Answering machines: those that we reach, and the one that we are."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.conf.models.base import Conf

Spoken = Annotated[str, Field(min_length=1, max_length=1000)]


class MachinePolicy(Conf):
    """What happens when a machine picks up a call that we placed; the agent talks until that is known."""

    detect: bool = True
    """Whether Twilio listens for machines; it costs a fraction of a cent a call."""
    action: Literal["talk", "leave_message", "hang_up"] = "hang_up"
    """`talk` lets the agent talk on, told that it is a machine; `leave_message` after the beep. A fax is hung up on."""
    message: Spoken | None = None
    """What is left, in Twilio's voice and the agent's language; `{{name}}` stands for variables."""

    @model_validator(mode="after")
    def _something_to_leave(self) -> "MachinePolicy":
        if self.action == "leave_message" and self.message is None:
            raise ValueError("leave_message needs a message")
        return self


class VoicemailConf(Conf):
    """A message that a caller may leave when no agent can talk."""

    greeting: Spoken | None = None
    """Spoken by Twilio, in the agent's language; `{{name}}` stands for variables. Without it, words of our own."""
    max_seconds: Annotated[int, Field(ge=5, le=600)] = 120
    """A message may be so long; it ends with `#`, with a silence of some seconds, or with the call."""
