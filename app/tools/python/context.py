"""What a function may know of the call that it runs for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Given to a function whose first parameter is annotated so; the model knows nothing of that parameter."""

    call_id: str
    caller: str
    """The number that called, in E.164 form; empty where it is hidden."""
    called: str
    agent: str
    """The name of the agent that answered."""
