"""A caller's message for the team, kept with the call."""

from collections.abc import Callable

from app.call.events import Kind
from app.call.tools.tool_calls import Asked

TAKEN = "The message has been taken. The team will get it."


async def take_message(note: Callable[..., None], asked: Asked) -> str:
    """Write the message down in the call's journal; whoever wants to know of it reads it there."""
    note(Kind.MESSAGE_TAKEN, **asked.arguments)
    return TAKEN
