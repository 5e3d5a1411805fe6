"""Parts of a file, as HTTP asks for them (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


class Unsatisfiable(ValueError):
    """The file has none of the bytes that were asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to `end` (exclusive)."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """What the answer says of it."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def parse_range(header: str | None, size: int) -> Part | None:
    """The part that is asked for; None where the whole file is the answer. Raises `Unsatisfiable`.

    Several parts at once, other units and what cannot be read are answered with the whole, as the standard allows.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None:
        return None
    first, last = match.groups()
    if first:
        return _from(int(first), int(last) if last else None, size)
    if not last:
        return None
    if int(last) == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(0, size - int(last)), size)


def _from(first: int, last: int | None, size: int) -> Part | None:
    if last is not None and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Part(first, size if last is None else min(last + 1, size))
