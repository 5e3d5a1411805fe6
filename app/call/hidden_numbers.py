"""Callers who hide their number."""

HIDDEN = frozenset(
    {
        "", "anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld",
        "+266696687", "+2562533", "+7378742833", "+86282452253", "+8656696", "+464",
    }
)  # fmt: skip
"""What stands for the number of a caller who hides it: words, and the same words typed on a phone's keys."""


def shown(number: str) -> str:
    """The number as it came; empty where it is hidden."""
    words = number.lower().removeprefix("sip:").partition("@")[0]
    return "" if words in HIDDEN else number
