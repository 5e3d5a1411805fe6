"""Stretches of time in a recording."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From one moment to another, in milliseconds since the recording's start."""

    from_ms: int
    until_ms: int

    @property
    def ms(self) -> int:
        """How long it is."""
        return self.until_ms - self.from_ms

    def meets(self, from_ms: int, until_ms: int) -> bool:
        """Whether they have any time in common."""
        return self.from_ms < until_ms and from_ms < self.until_ms


def united(spans: Iterable[Span], gap_ms: int = 0) -> list[Span]:
    """The spans in order; those that overlap, or are not more than the gap apart, are one."""
    one: list[Span] = []
    for span in sorted(spans):
        if one and span.from_ms <= one[-1].until_ms + gap_ms:
            one[-1] = Span(one[-1].from_ms, max(one[-1].until_ms, span.until_ms))
        else:
            one.append(span)
    return one
