"""The tool by which callers type digits that stay hidden: from the model, journal, log and recordings."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from app.call.events import Kind
from app.call.sound.recording import CallRecording
from app.call.tools.digits import CollectedDigits
from app.call.tools.tool_calls import Asked
from app.call.turns.keypad import Keypad
from app.conf.models import CollectDigitsTool
from app.errors import CarrierError, ToolError

LINGER_MS = 1000
"""After the last digit that fits, others may follow by mistake, or the key that ends it: they are hidden as well."""
BUSY = "The caller is typing digits already: wait for that."
NOTHING = "The caller typed nothing. Ask whether they want to try again."
TOO_FEW = "The caller typed {count}, but {least} are needed, so nothing was stored. Ask the caller to type all again."
STORED = "The caller typed {count}; they are stored as {name}."
NOT_PRIVATE = "The recording could not be paused, so that digits must not be typed now. Find another way, or try later."

_log = structlog.get_logger(__name__)


class Ears(Protocol):
    """What the agent hears of the caller."""

    deaf: bool
    """Whether it hears silence instead."""


class TypedDigits:
    """What is typed for one tool. Other keys than digits, and digits that are too many, count for nothing."""

    def __init__(self, tool: CollectDigitsTool) -> None:
        self.digits = ""
        self.finished = False
        """Whether the key that ends it was pressed."""
        self._tool = tool
        self._pressed = asyncio.Event()

    def press(self, key: str) -> None:
        """The next key."""
        if key == self._tool.finish_on_key:
            self.finished = True
        elif key.isdecimal() and not self.full and not self.finished:
            self.digits += key
        self._pressed.set()

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return len(self.digits) >= self._tool.max_digits

    @property
    def patience_ms(self) -> float:
        """How long to wait for another key."""
        if self.finished:
            return 0
        return LINGER_MS if self.full else self._tool.timeout_seconds * 1000

    async def wait(self, within_s: float) -> bool:
        """Whether another key came within that time."""
        try:
            async with asyncio.timeout(within_s):
                await self._pressed.wait()
        except TimeoutError:
            return False
        self._pressed.clear()
        return True

    def __repr__(self) -> str:
        return f"TypedDigits({len(self.digits)} digits)"


class CollectDigits:
    """A tool's handler. While it runs the caller is neither heard nor recorded, and nobody else sees the keys.

    All of that begins with the tool, before the caller has heard what to type: no tone may be early.
    """

    def __init__(
        self,
        *,
        keypad: Keypad,
        ears: Ears,
        recording: CallRecording,
        digits: CollectedDigits,
        note: Callable[..., None],
        now_ms: Callable[[], float],
        tick_s: float,
    ) -> None:
        self._keypad = keypad
        self._ears = ears
        self._recording = recording
        self._digits = digits
        self._note = note
        self._now_ms = now_ms
        self._tick_s = tick_s

    async def __call__(self, asked: Asked) -> str:
        """What the model is told of it, which is how many; raises `ToolError`."""
        tool = asked.tool
        assert isinstance(tool, CollectDigitsTool)  # noqa: S101 - handlers go by the type
        if self._ears.deaf:
            raise ToolError(BUSY)
        self._digits.forget(tool.store_as)
        typed = TypedDigits(tool)
        enough = False
        try:
            await self._collect(typed)
            enough = len(typed.digits) >= tool.min_digits
        finally:
            self._note(Kind.DIGITS_COLLECTED, store_as=tool.store_as, count=len(typed.digits), complete=enough)
        if not enough:
            raise ToolError(TOO_FEW.format(count=_told(typed), least=tool.min_digits) if typed.digits else NOTHING)
        self._digits.keep(tool.store_as, typed.digits)
        return STORED.format(count=_told(typed), name=tool.store_as)

    async def _collect(self, typed: TypedDigits) -> None:
        """Let them be typed, unheard and unrecorded."""
        self._ears.deaf = True
        self._keypad.divert(typed.press)
        try:
            await self._recording.hide()
            await self._wait(typed)
        except CarrierError as error:
            _log.warning("digits_not_collected", reason=str(error))
            raise ToolError(NOT_PRIVATE) from None
        finally:
            self._keypad.restore()
            self._ears.deaf = False
            await self._recording.show()

    async def _wait(self, typed: TypedDigits) -> None:
        """Return when no more is to come; time counts from when the caller has heard what to type."""
        since_ms = self._now_ms()
        while self._now_ms() < since_ms + typed.patience_ms:
            pressed = await typed.wait(self._tick_s)
            if pressed or (self._keypad.prompting and not typed.full):
                since_ms = self._now_ms()


def _told(typed: TypedDigits) -> str:
    count = len(typed.digits)
    return f"{count} digit{'' if count == 1 else 's'}"
