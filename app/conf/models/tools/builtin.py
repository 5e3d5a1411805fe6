"""The tools that Parley brings along."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from app.conf.models.base import E164, Conf, RowName
from app.conf.models.hours import Zone
from app.conf.models.tools.base import NO_ARGUMENTS, Description, TimedTool, ToolName, WorkingTool, arguments

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ -]{1,64}$")]
"""A name that the model chooses by."""


class EndCallTool(Conf):
    """The agent may hang up; the caller hears the goodbye first."""

    type: Literal["end_call"]
    name: ToolName = "end_call"
    description: Description = (
        "End the call. Say goodbye in the same answer; the line closes when the caller has heard it."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return NO_ARGUMENTS


class StopRecordingTool(Conf):
    """The caller may decline to be recorded; an agent with a consent line has this by itself."""

    type: Literal["stop_recording"] = "stop_recording"
    name: ToolName = "stop_recording"
    description: Description = (
        "Stop recording this call and delete what was recorded. Call it as soon as the caller does not want to be "
        "recorded, and tell the caller what came of it."
    )

    @classmethod
    def after(cls, announced: str) -> "StopRecordingTool":
        """The tool for callers who have been told exactly this."""
        told = f'{cls().description} Before you came on the line the caller was told: "{announced}"'
        return cls(description=told)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return NO_ARGUMENTS


class OptOutTool(Conf):
    """The caller may say that nobody shall call him again: his number goes on the do-not-call list."""

    type: Literal["opt_out"]
    name: ToolName = "opt_out"
    description: Description = (
        "Put the caller's number on the do-not-call list, for good. Call it as soon as the caller does not want to be "
        "called again, and tell the caller what came of it."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return NO_ARGUMENTS


class LookupTool(TimedTool):
    """The agent looks a key up in a table that stands right here."""

    type: Literal["lookup"]
    name: ToolName
    description: Description
    key_name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = "key"
    key_description: str = "What to look up."
    entries: dict[str, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        key = {"type": "string", "description": f"{self.key_description} One of: {', '.join(self.entries)}."}
        return arguments({self.key_name: key})


class Destination(Conf):
    """Somebody to whom callers may be put through."""

    number: E164
    description: Annotated[str, Field(max_length=500)] = ""
    """When to choose it, for the model."""


class TransferCallTool(WorkingTool):
    """The agent puts the caller through, to one of these destinations and nowhere else.

    Where nobody answers, the caller is back with the agent and the conversation goes on.
    """

    type: Literal["transfer_call"]
    name: ToolName = "transfer_call"
    description: Description = (
        "Put the caller through to somebody. Tell the caller first. If nobody answers, the caller comes back to you."
    )
    destinations: Annotated[dict[Label, Destination], Field(min_length=1, max_length=50)]
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 25
    """So long it rings there before the caller comes back."""
    max_seconds: Annotated[int, Field(ge=10, le=14_400)] = 3600
    """The longest that the two may talk."""
    max_per_call: Annotated[int, Field(ge=1, le=10)] = 3
    """How often in one call."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        told = "; ".join(f"{name}: {each.description}" for name, each in self.destinations.items() if each.description)
        destination = {"type": "string", "enum": list(self.destinations), "description": told or "Whom to call."}
        return arguments({"destination": destination})


class SwitchAgentTool(WorkingTool):
    """Another agent takes over the same call, told what has been said."""

    type: Literal["switch_agent"]
    name: ToolName = "switch_agent"
    description: Description = "Hand the conversation over to a colleague, who knows what has been said so far."
    agents: Annotated[dict[RowName, Annotated[str, Field(max_length=500)]], Field(min_length=1, max_length=20)]
    """Names of agents, each with when to choose it."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        told = "; ".join(f"{name}: {when}" for name, when in self.agents.items() if when)
        agent = {"type": "string", "enum": list(self.agents), "description": told or "Who takes over."}
        return arguments({"agent": agent})


class SendDtmfTool(WorkingTool):
    """The agent presses keys, as in the menu of another company; then the conversation goes on."""

    type: Literal["send_dtmf"]
    name: ToolName = "send_dtmf"
    description: Description = "Press keys on the phone, as for a menu or an extension."
    max_per_call: Annotated[int, Field(ge=1, le=50)] = 10

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        told = "Keys 0-9, *, # and A-D; w waits for half a second."
        return arguments({"digits": {"type": "string", "pattern": "^[0-9*#A-Dw]{1,32}$", "description": told}})


class CollectDigitsTool(WorkingTool):
    """The caller types digits that nobody but a later HTTP tool gets to see.

    They reach neither model nor transcript, log or recording; an HTTP tool has them as `{{digits.NAME}}`.
    """

    type: Literal["collect_digits"]
    name: ToolName = "collect_digits"
    description: Description = (
        "Let the caller type digits on the phone, which you will not see. Say what to type, and that # ends it, and "
        "call this in the same answer: what is typed before is not hidden."
    )
    store_as: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")] = "digits"
    """The NAME under which HTTP tools have them."""
    min_digits: Annotated[int, Field(ge=1, le=64)] = 1
    max_digits: Annotated[int, Field(ge=1, le=64)] = 32
    finish_on_key: Literal["#", "*", ""] = "#"
    timeout_seconds: Annotated[float, Field(ge=3, le=120)] = 15
    """Without another key for so long, it ends with what there is."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return NO_ARGUMENTS

    @field_validator("max_digits")
    @classmethod
    def _not_below_least(cls, value: int, info: Any) -> int:
        if value < info.data.get("min_digits", 1):
            raise ValueError("max_digits is below min_digits")
        return value


class QueryKnowledgeTool(TimedTool):
    """The agent looks for an answer in uploaded documents."""

    type: Literal["query_knowledge"]
    name: ToolName = "query_knowledge"
    description: Description = "Look up facts in the company's documents. Use it before you answer a question of fact."
    collections: Annotated[list[RowName], Field(min_length=1, max_length=20)] = Field(
        default_factory=lambda: ["default"]
    )
    """In which collections of documents."""
    max_results: Annotated[int, Field(ge=1, le=20)] = 5

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        told = "What to look for: a question, or a few words of it."
        return arguments({"query": {"type": "string", "minLength": 1, "maxLength": 500, "description": told}})


class SendSmsTool(TimedTool):
    """The agent sends a text message from the number of the call, to the caller or to one of these numbers."""

    CALLER: ClassVar = "caller"
    """What the model calls the caller as a recipient."""

    type: Literal["send_sms"]
    name: ToolName = "send_sms"
    description: Description = "Send a text message."
    recipients: Annotated[dict[Label, E164], Field(max_length=50)] = Field(default_factory=dict)
    """Others than the caller, by the names that the model chooses by."""
    to_caller: bool = True
    """Whether the caller may get one."""
    from_number: E164 | None = None
    """The sender; without it, our number in this call."""
    max_per_call: Annotated[int, Field(ge=1, le=10)] = 3
    max_characters: Annotated[int, Field(ge=1, le=1600)] = 480

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        names = ([self.CALLER] if self.to_caller else []) + list(self.recipients)
        return arguments(
            {
                "to": {"type": "string", "enum": names, "description": "Who gets it."},
                "text": {"type": "string", "minLength": 1, "maxLength": self.max_characters},
            }
        )

    @field_validator("recipients")
    @classmethod
    def _nobody_is_called_caller(cls, value: dict[str, str]) -> dict[str, str]:
        if cls.CALLER in value:
            raise ValueError(f"{cls.CALLER} is what the caller is called; give this recipient another name")
        return value

    @field_validator("to_caller")
    @classmethod
    def _somebody_gets_it(cls, value: bool, info: Any) -> bool:
        if not value and not info.data.get("recipients"):
            raise ValueError("nobody may get a message: allow the caller, or name recipients")
        return value


class TakeMessageTool(TimedTool):
    """The agent takes a message for the team: it is kept with the call, and told to webhooks as `message.taken`."""

    type: Literal["take_message"]
    name: ToolName = "take_message"
    description: Description = (
        "Take a message for the team. Ask for the name and for a number to call back, and read the message back first."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema."""
        return arguments(
            {
                "message": {"type": "string", "minLength": 1, "maxLength": 4000},
                "name": {"type": "string", "maxLength": 200, "description": "Who leaves it."},
                "callback_number": {"type": "string", "maxLength": 50, "description": "Only if not the calling one."},
                "urgent": {"type": "boolean"},
            },
            required=["message"],
        )


class CurrentTimeTool(Conf):
    """The agent asks for the date and the time of day."""

    type: Literal["current_time"]
    name: ToolName = "current_time"
    description: Description = "The date, the weekday and the time of day, now."
    timezone: Zone | None = None
    """An IANA name like Europe/Berlin; without it, the zone of the number that was called."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema: there are none."""
        return NO_ARGUMENTS
