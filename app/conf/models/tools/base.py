"""What tools have in common."""

from typing import Annotated, Any

from pydantic import Field

from app.conf.models.base import Conf

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Description = Annotated[str, Field(min_length=1, max_length=4000)]
"""What the model is told of when and how to use it."""

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def arguments(properties: dict[str, Any], *, required: list[str] | None = None) -> dict[str, Any]:
    """A JSON Schema of these arguments and no others; all are required where nothing else is said."""
    needed = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


class WorkingTool(Conf):
    """A tool that takes its time, or does something that cannot be undone."""

    preamble: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """Said, word for word, while the tool runs, unless the agent spoke in the answer that called it, the caller speaks
    or the tool is done within a third of a second; without it nothing is said."""
    confirm: bool = False
    """Whether the caller must have agreed first: the model is told to ask, and the tool runs when the caller has
    spoken and the model calls it again with the same arguments."""

    @property
    def finishes_after_hang_up(self) -> bool:
        """Whether it goes on when the call ends, within its time."""
        return False


class TimedTool(WorkingTool):
    """A tool that is stopped when it takes too long."""

    deadline_seconds: Annotated[float, Field(gt=0, le=120)] | None = None
    """The tool is stopped after this, and the model told; without it, ten seconds."""
