"""Finds numbers of payment cards in texts, however they are written or spelt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

FEWEST_DIGITS, MOST_DIGITS = 12, 19
"""How many the number of a card has (ISO/IEC 7812)."""
SPELT = 3
"""So many digits in a row may be told in words; more are a number that somebody reads out."""
HIDDEN_DIGIT = "•"
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
_BETWEEN = r"[\s.,;:/|*_w\-\u00ad\u00b7\u200b-\u200f\u2010-\u2015\u2022\u2060\u2212\ufeff]{0,3}"
"""What may stand between two digits; `w` is a pause between pressed keys."""
_RUN = re.compile(rf"(?<![\w+])(?:{_DIGIT})(?:{_BETWEEN}(?:{_DIGIT}))*", re.IGNORECASE)
_EACH = re.compile(_DIGIT, re.IGNORECASE)
_ENDS = " .,;:-"


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits that belong together, and where each stands in the text."""

    values: str
    places: tuple[tuple[int, int], ...]
    begins_text: bool
    ends_text: bool
    """Whether nothing else stands before them, or behind."""


def digits_in(text: str) -> Iterator[Digits]:
    """All digits of a text, written or spelt, as they follow each other."""
    for run in _RUN.finditer(text):
        found = list(_EACH.finditer(text, *run.span()))
        yield Digits(
            "".join([value(each[0]) for each in found]),
            tuple(each.span() for each in found),
            begins_text=not text[: run.start()].strip(_ENDS),
            ends_text=not text[run.end() :].strip(_ENDS),
        )


def value(digit: str) -> str:
    """The digit that a character of any script, or a word, stands for."""
    return str(int(digit)) if digit.isdigit() else _WORDS[digit.casefold()]


def digits_hidden(text: str, before: int) -> tuple[str, int]:
    """The text without figures, nor digits that are spelt in a row, and how many digits it ends with; `before` are
    those that the text before it ended with."""
    parts, done = [], 0
    row = 0 if text.strip(_ENDS) else before
    for digits in digits_in(text):
        row = before if digits.begins_text else 0
        for start, end in digits.places:
            row += 1
            if row > SPELT:
                parts += [text[done:start], HIDDEN_DIGIT]
                done = end
        row *= digits.ends_text
    return re.sub(r"\d", HIDDEN_DIGIT, "".join([*parts, text[done:]])), row


def cards(digits: str) -> Iterator[tuple[int, int]]:
    """Where the numbers of cards are, the longest first and none within another."""
    odd, even = _sums(digits)
    start = 0
    while start <= len(digits) - FEWEST_DIGITS:
        length = 0
        if _ISSUERS.match(digits, start):
            for length in reversed(_lengths(digits[start : start + 2])):
                end = start + length
                sums = odd if end % 2 else even
                if end <= len(digits) and (sums[end] - sums[start]) % 10 == 0:
                    yield start, end
                    break
            else:
                length = 0
        start += length or 1


def _sums(digits: str) -> tuple[list[int], list[int]]:
    """Luhn's sums up to each place, for numbers that end at an odd and at an even place."""
    plain = [int(each) for each in digits]
    doubled = [each * 2 - 9 * (each > 4) for each in plain]
    odd = [one if place % 2 == 0 else two for place, (one, two) in enumerate(zip(plain, doubled, strict=True))]
    even = [two if place % 2 == 0 else one for place, (one, two) in enumerate(zip(plain, doubled, strict=True))]
    return [0, *accumulate(odd)], [0, *accumulate(even)]


def _lengths(first: str) -> tuple[int, ...]:
    """How long that issuer's numbers are: it keeps many another number from being taken for one."""
    match first[0], first[1]:
        case "4", _:
            return (13, 16, 19)
        case ("2", _) | ("5", "1" | "2" | "3" | "4" | "5"):
            return (16,)
        case "3", "4" | "7":
            return (15,)
        case "3", _:
            return (14, 16, 17, 18, 19)
        case _:
            return tuple(range(FEWEST_DIGITS, MOST_DIGITS + 1))
