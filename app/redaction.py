"""Takes numbers of payment cards, and what an operator's patterns name, out of what was said and written."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2

CARD = "[card number]"
_LENGTHS = range(12, 20)
"""How many digits the number of a card has (ISO/IEC 7812)."""
_ISSUERS = re.compile(r"4|5[0-9]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720)|3([47]|0[0-5]|[689]|5)|6")
"""How the numbers of Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay and Maestro begin."""
_SAID = (
    "zero oh one two three four five six seven eight nine",
    "null null eins zwei drei vier fünf sechs sieben acht neun",
    "cero cero uno dos tres cuatro cinco seis siete ocho nueve",
    "zéro zéro un deux trois quatre cinq six sept huit neuf",
    "zero zero uno due tre quattro cinque sei sette otto nove",
    "zero zero um dois três quatro cinco seis sete oito nove",
    "nul nul een twee drie vier vijf zes zeven acht negen",
)
_WORDS = {word: str(max(place - 1, 0)) for line in _SAID for place, word in enumerate(line.split())} | {"zwo": "2"}
_DIGIT = rf"\d|\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b"
_RUN = re.compile(rf"(?<![\w+])(?:{_DIGIT})(?:[\s.,;:/\-\u2013\u2014]{{0,3}}(?:{_DIGIT}))*", re.IGNORECASE)
_EACH = re.compile(_DIGIT, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Digit:
    value: str
    start: int
    end: int


class Redactor:
    """Redacts the texts of one call or recording."""

    def __init__(self, *, card_numbers: bool = True, patterns: Mapping[str, str] | None = None) -> None:
        """Raises `ValueError` for a pattern that is none."""
        self._card_numbers = card_numbers
        self._patterns = {f"[{name}]": compiled(pattern) for name, pattern in (patterns or {}).items()}
        self._open: dict[str, str] = {}  # by speaker: the digits that the last text ended with

    def text(self, text: str) -> str:
        """The text, with the name of what was there instead of it."""
        return self._by_patterns(_without_cards(text, "")[0] if self._card_numbers else text)

    def turn(self, speaker: str, text: str) -> str:
        """The same for what somebody says next: a number may have begun in what they said before."""
        if self._card_numbers:
            text, self._open[speaker] = _without_cards(text, self._open.get(speaker, ""))
        return self._by_patterns(text)

    def fragment(self, text: str) -> str:
        """A piece of a text that comes whole later, of which nobody can tell what it is a piece of."""
        if self._patterns:
            return ""
        return re.sub(r"\d", "•", text) if self._card_numbers else text

    def value(self, value: Any) -> Any:
        """The same value, all its texts redacted; what names a field stays."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {name: self.value(each) for name, each in value.items()}
            case list() | tuple():
                return [self.value(each) for each in value]
            case _:
                return value

    def _by_patterns(self, text: str) -> str:
        for name, pattern in self._patterns.items():
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


def _without_cards(text: str, before: str) -> tuple[str, str]:
    """The text, and the digits that it ends with, if a number may go on behind it; `before` are those of the last."""
    parts, done, still_open = [], 0, ""
    for run in _RUN.finditer(text):
        digits = [_Digit(_value(each[0]), each.start(), each.end()) for each in _EACH.finditer(text, *run.span())]
        begins = not text[: run.start()].strip(" .,;:")
        known = before if begins else ""
        whole = known + "".join(digit.value for digit in digits)
        for first, last in _cards(whole):
            covered = digits[max(first - len(known), 0) : max(last - len(known), 0)]
            if covered:
                parts += [text[done : covered[0].start], CARD]
                done = covered[-1].end
                whole = ""
        if not text[run.end() :].strip(" .,;:-"):
            still_open = whole[-(_LENGTHS.stop - 2) :]
    return "".join([*parts, text[done:]]), still_open


def _value(digit: str) -> str:
    return digit if digit.isdigit() else _WORDS[digit.casefold()]


def _cards(digits: str) -> Iterator[tuple[int, int]]:
    """Where the numbers of cards are, the longest first and none within another."""
    start = 0
    while start <= len(digits) - _LENGTHS.start:
        length = next((each for each in reversed(_LENGTHS) if _is_card(digits[start : start + each], each)), 0)
        if length:
            yield start, start + length
        start += length or 1


def _is_card(digits: str, length: int) -> bool:
    return len(digits) == length and _ISSUERS.match(digits) is not None and _luhn(digits) and _fits(digits)


def _fits(digits: str) -> bool:
    """Whether that issuer has numbers so long: it keeps many another number from being taken for one."""
    match digits[0]:
        case "4":
            return len(digits) in {13, 16, 19}
        case "2":
            return len(digits) == 16
        case "3":
            return len(digits) == (15 if digits[1] in "47" else 14) or (digits[1] not in "47" and len(digits) >= 16)
        case "5" if digits[1] in "12345":
            return len(digits) == 16
        case _:
            return len(digits) >= 12


def _luhn(digits: str) -> bool:
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(sum(divmod(2 * int(each), 10)) for each in even)) % 10 == 0
