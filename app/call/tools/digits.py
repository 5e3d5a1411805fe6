"""Digits that callers typed for tools, and that nobody else gets to see. They live as long as their call."""

import re
from collections.abc import Mapping

from app.call.tools.tool_calls import Asked, Handler
from app.errors import ToolError

HIDDEN = "[hidden]"
LEAST_HIDDEN = 3
"""Shorter ones could be any number: hiding them would hide other things."""


class CollectedDigits:
    """One call's collected digits, by the names that tools know them by."""

    def __init__(self) -> None:
        self._by_name: dict[str, str] = {}

    def __call__(self) -> Mapping[str, str]:
        """What there is now."""
        return dict(self._by_name)

    def keep(self, name: str, digits: str) -> None:
        """These were typed under that name; what was there before is gone."""
        self._by_name[name] = digits

    def forget(self, name: str) -> None:
        """There are none under that name any more."""
        self._by_name.pop(name, None)

    def hide_in(self, text: str) -> str:
        """The text without the digits, also where they stand in groups."""
        for digits in sorted(self._by_name.values(), key=len, reverse=True):
            if len(digits) >= LEAST_HIDDEN:
                text = re.sub(rf"(?<!\d){'[ -]?'.join(digits)}(?!\d)", HIDDEN, text)
        return text

    def guard(self, handler: Handler) -> Handler:
        """The same handler, whose outputs never have the digits in them: services like to repeat what they got."""

        async def guarded(asked: Asked) -> str:
            try:
                return self.hide_in(await handler(asked))
            except ToolError as error:
                raise ToolError(self.hide_in(str(error))) from None

        return guarded

    def __repr__(self) -> str:
        names = ", ".join(f"{name}: {len(digits)} digits" for name, digits in self._by_name.items())
        return f"CollectedDigits({names})"
