"""The caller does not want to be called again."""

from collections.abc import Awaitable, Callable

import structlog

from app.call.hidden_numbers import shown
from app.call.tools.tool_calls import Asked
from app.conf.models import e164
from app.errors import ToolError
from app.outbound.opting_out import OptedOut

KeepOptOut = Callable[[OptedOut], Awaitable[None]]
"""Keeps the wish safe until it is on the list, also while the database is away."""

DONE = "The number is on the do-not-call list. We will not call it again."

_log = structlog.stdlib.get_logger(__name__)


async def opt_out(wish: OptedOut, keep: KeepOptOut, _asked: Asked) -> str:
    """Put the number on the do-not-call list; what the model is told of it. Raises `ToolError`."""
    try:
        is_number = shown(wish.number) != "" and e164(wish.number) == wish.number
    except ValueError:
        is_number = False
    if not is_number:
        raise ToolError("The caller's number is hidden: ask which number we shall not call, and tell the team.")
    await keep(wish)
    _log.info("opted_out", number=wish.number)
    return DONE
