"""When nobody says a word: whether it is time to ask, or to come to an end."""

from typing import Literal

from app.conf.models import SilenceConf

PROVIDER_EARLY_MS = 1000
"""We are quicker by this than a provider that would ask once more, where there has been enough asking."""
PROVIDER_LATE_MS = 5000
"""A provider that should have asked by itself, and did not for so long, does not do it."""


class Silence:
    """One call's silences; told the time and whether all is quiet, now and then.

    Where the provider asks by itself after a while (`asks_after_ms`), its questions count, and we ask only in its
    stead. Only the caller makes good for questions that had no answer: the agent's own words do not.
    """

    def __init__(self, conf: SilenceConf, *, asks_after_ms: float | None = None) -> None:
        self._reprompts = conf.reprompts
        self._patience_ms = conf.reprompt_seconds * 1000
        self._asks_after_ms = asks_after_ms
        self._since_ms: float | None = None
        self._asked = 0
        self._over = False

    @property
    def asked(self) -> int:
        """How often the caller has been asked since they were last heard of."""
        return self._asked

    def on_caller(self) -> None:
        """The caller spoke or pressed a key."""
        self._since_ms, self._asked, self._over = None, 0, False

    def on_provider_asks(self) -> None:
        """The provider noticed the silence, and lets the agent speak up."""
        if self._asked >= self._reprompts:
            self._over = True
        else:
            self._asked += 1

    def on_time(self, at_ms: float, *, quiet: bool) -> Literal["ask", "leave"] | None:
        """What is due at that moment: to ask whether the caller is there, or to say goodbye."""
        if not quiet:
            self._since_ms = None
            return None
        if self._since_ms is None:
            self._since_ms = at_ms
        if not self._over and at_ms - self._since_ms < self._due_after_ms:
            return None
        self._since_ms = None
        if self._over or self._asked >= self._reprompts:
            self._over = False
            return "leave"
        self._asked += 1
        return "ask"

    @property
    def _due_after_ms(self) -> float:
        if self._asks_after_ms is None:
            return self._patience_ms
        if self._asked >= self._reprompts:
            return min(self._patience_ms, self._asks_after_ms - PROVIDER_EARLY_MS)
        return max(self._patience_ms, self._asks_after_ms + PROVIDER_LATE_MS)
