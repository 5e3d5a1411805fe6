"""One Python function as a tool."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic_core import to_json

from app.conf.models import KnownFunction
from app.tools.python.context import ToolContext
from app.tools.python.signature import Signature, UnusableFunction
from app.tools.python.threads import Threads

NOTHING_TO_SAY = "Done."
"""What the model is told where a function returns nothing."""


class PythonFunction:
    """A function that the model may call; raises `UnusableFunction` for one that cannot be told to it."""

    def __init__(self, function: Callable[..., Any], source: str) -> None:
        """`source` says where it was found, for people."""
        if inspect.isasyncgenfunction(function):
            raise UnusableFunction("it yields: an async function returns all that it says at once")
        self.name = function.__name__
        self.source = source
        self._function = function
        self._signature = Signature(function)
        self._threads = Threads(self.name)
        self.known = KnownFunction(inspect.getdoc(function) or "", self._signature.parameters)
        """What a model is told of it."""

    async def __call__(self, context: ToolContext, arguments: Mapping[str, Any]) -> str:
        """What it says, as text: an async function runs in the loop, where it must not block; any other in a thread."""
        typed = self._signature.typed(arguments)
        given = [context] if self._signature.takes_context else []
        work = partial(self._function, *given, **typed)
        if inspect.iscoroutinefunction(self._function):
            called = work()
        else:
            called = await self._threads.run(lambda: _in_thread(work))
        try:
            return _as_text(await called if inspect.isawaitable(called) else called)
        except (SystemExit, KeyboardInterrupt) as error:  # they would end the loop, and all calls
            raise RuntimeError(f"the tool raised {type(error).__name__}") from None


def _in_thread(work: Callable[[], Any]) -> Any:
    """What it says, as text: what it makes piece by piece is made here, and not in the loop."""
    called = work()
    return called if inspect.isawaitable(called) else _as_text(called)


def _as_text(result: Any) -> str:
    """Texts as they are, all else as JSON: dataclasses, models and dates as well."""
    if result is None:
        return NOTHING_TO_SAY
    return result if isinstance(result, str) else to_json(result).decode()
