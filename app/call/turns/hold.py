"""Whether the caller has put us on hold: something goes on being heard, and there are no words in it."""

import re
from typing import Literal

from app.conf.models import HoldConf

UNKNOWN_PART = 1 / 3
"""What still goes on counts so little, for its words are not known yet: it may be a long story."""
WORDS_WITHIN_MS = 3000
"""What was heard on hold, and for so long nobody said whether there were words in it, is taken for words."""
_NO_WORDS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|<[^>]*>|♪[^♪]*♪")
"""How recognisers write down what is no speech: `[music]`, `(upbeat jingle)`, `*beep*`."""


class Hold:
    """One call's holds; told what is heard of the caller by item, what words there were in it, and the time.

    In doubt it is the caller who speaks: whoever is not answered hangs up.
    """

    def __init__(self, conf: HoldConf) -> None:
        self.on = False
        """Whether we are on hold."""
        self._after_ms = conf.after_seconds * 1000
        self._wordless_ms = 0.0
        self._since_ms: float | None = None  # since when something is being heard
        self._unread: dict[str, tuple[float, float]] = {}  # heard and not yet written down: from when until when
        self._back = False

    def on_started(self, at_ms: float) -> None:
        """Something is heard of the caller."""
        self._since_ms = at_ms

    def on_stopped(self, item_id: str, at_ms: float) -> None:
        """It is over; what was said is not known yet."""
        if self._since_ms is not None:
            self._unread[item_id] = (self._since_ms, at_ms)
            self._since_ms = None

    def on_read(self, item_id: str, text: str) -> None:
        """So it was written down."""
        since_ms, until_ms = self._unread.pop(item_id, (0.0, 0.0))
        if has_words(text):
            self._on_words()
        else:
            self._wordless_ms += until_ms - since_ms

    def on_unreadable(self, item_id: str) -> None:
        """Nobody will write that down."""
        if self._unread.pop(item_id, None):
            self._on_words()

    def forget(self) -> None:
        """Who wrote things down is gone; what was heard last will not be."""
        self._unread.clear()
        self._since_ms = None

    def on_time(self, at_ms: float) -> Literal["hold", "back"] | None:
        """What has turned out by now: that we were put on hold, or that the caller is back."""
        if not self.on:
            self._back = False
            self.on = self._wordless_ms + self._unknown_ms(at_ms) * UNKNOWN_PART >= self._after_ms
            return "hold" if self.on else None
        if any(until_ms + WORDS_WITHIN_MS <= at_ms for _, until_ms in self._unread.values()):
            self._unread.clear()
            self._on_words()
        if not self._back:
            return None
        self.on = self._back = False
        return "back"

    def _unknown_ms(self, at_ms: float) -> float:
        return 0.0 if self._since_ms is None else at_ms - self._since_ms

    def _on_words(self) -> None:
        self._wordless_ms, self._back = 0.0, True


def has_words(text: str) -> bool:
    """Whether a recogniser heard words there."""
    return any(letter.isalnum() for letter in _NO_WORDS.sub("", text))
