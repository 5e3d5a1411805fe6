"""Takes numbers of payment cards, and what an operator's patterns name, out of what was said and written."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import re2

from app.card_numbers import FEWEST_DIGITS, MOST_DIGITS, cards, digits_hidden, digits_in
from app.json_texts import changed, is_json

CARD = "[card number]"


class Redactor:
    """Redacts the texts of one call or recording."""

    def __init__(self, *, card_numbers: bool = True, patterns: Mapping[str, str] | None = None) -> None:
        """Raises `ValueError` for a pattern that is none."""
        self._card_numbers = False
        self._patterns: dict[tuple[str, str], Any] = {}  # compiled, by what stands for it and what it was
        self._open: dict[str, str] = {}  # by speaker: the digits that the last text ended with
        self._spelt: dict[str, int] = {}  # by speaker: how many digits the last piece ended with
        self.also(card_numbers=card_numbers, patterns=patterns or {})

    def also(self, *, card_numbers: bool, patterns: Mapping[str, str]) -> None:
        """Take this out as well from here on."""
        self._card_numbers = self._card_numbers or card_numbers
        self._patterns |= {(f"[{name}]", pattern): compiled(pattern) for name, pattern in patterns.items()}
        self._any = _any_of([pattern for _, pattern in self._patterns])

    def text(self, text: str) -> str:
        """The text, with the name of what was there instead of it."""
        has_room = self._card_numbers and len(text) >= FEWEST_DIGITS
        return self._by_patterns(_without_cards(text, "")[0] if has_room else text)

    def turn(self, speaker: str, text: str) -> str:
        """The same for what somebody says next: a number may have begun in what they said before."""
        if self._card_numbers:
            text, self._open[speaker] = _without_cards(text, self._open.get(speaker, ""))
        return self._by_patterns(text)

    def fragment(self, speaker: str, text: str) -> str:
        """A piece of a text that comes whole later, of which nobody can tell what it is a piece of."""
        if self._patterns:
            return ""
        if self._card_numbers:
            text, self._spelt[speaker] = digits_hidden(text, self._spelt.get(speaker, 0))
        return text

    def value(self, value: Any) -> Any:
        """The same value, all its texts redacted; what names a field stays."""
        match value:
            case str():
                return self._json(value) if is_json(value) else self.text(value)
            case Mapping():
                return {name: self.value(each) for name, each in value.items()}
            case list() | tuple():
                return [self.value(each) for each in value]
            case _:
                return value

    def _json(self, text: str) -> str:
        """The same JSON; where a pattern reaches over several of its fields, it is none any more."""
        told = changed(text, self.value)
        if not self._patterns:
            return told
        names = "|".join(re.escape(name) for name in (CARD, *(name for name, _ in self._patterns)))
        pieces = re.split(f"({names})", told)
        pieces[::2] = map(self._by_patterns, pieces[::2])
        return "".join(pieces)

    def _by_patterns(self, text: str) -> str:
        if self._any is not None and not self._any.search(text):
            return text
        for (name, _), pattern in self._patterns.items():
            text = pattern.sub(name, text)
        return text


def compiled(pattern: str) -> Any:
    """The pattern, in a dialect that takes no longer for a text made to delay it (RE2: no backreferences and no
    look-around). Raises `ValueError` for one that cannot be read, or that finds nothingness."""
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"not a regular expression of RE2: {reason}") from None
    if found.search(""):
        raise ValueError("it also finds what is empty")
    return found


def _any_of(patterns: Sequence[str]) -> Any:
    """One pattern that finds something wherever any of these does: most texts need no more than that. None where there
    is no such one."""
    try:
        return compiled("|".join(f"(?:{pattern})" for pattern in patterns)) if len(patterns) > 1 else None
    except ValueError:  # too large, or two of them name a group alike
        return None


def _without_cards(text: str, before: str) -> tuple[str, str]:
    """The text, and the digits that it ends with, if a number may go on behind it; `before` are those of the last."""
    parts, done, still_open = [], 0, ""
    for digits in digits_in(text):
        known = before if digits.begins_text else ""
        whole = known + digits.values
        for first, last in cards(whole):
            covered = digits.places[max(first - len(known), 0) : max(last - len(known), 0)]
            if covered:
                parts += [text[done : covered[0][0]], CARD]
                done = covered[-1][1]
                whole = ""
        if digits.ends_text:
            still_open = whole[-(MOST_DIGITS - 1) :]  # may be one short of a card
    return "".join([*parts, text[done:]]), still_open
