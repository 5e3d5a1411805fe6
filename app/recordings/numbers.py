"""Words as they are compared: no case, no punctuation, and spoken English numbers as digits."""

import re
import unicodedata

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: value for value, word in enumerate(_ONES.split(" "))} | {"oh": 0}
_TENS = {word: value for value, word in zip(range(20, 100, 10), _DECADES.split(" "), strict=True)}
_NUMBERS = _UNITS | _TENS
_SCALES = frozenset({"hundred", "thousand"})
_APOSTROPHES = str.maketrans("", "", "'’ʼ")  # noqa: RUF001 (as they are written)


def tokens(text: str) -> list[str]:
    """The words of a text; numbers that follow each other are one: `nine thirty`, `9:30` and `930` are the same."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    words = re.findall(r"\d+(?:,\d{3})+(?!\d)|\d+|[^\W\d_]+", plain)
    joined: list[str] = []
    for word in _counted([word.replace(",", "") for word in words]):
        if word.isdecimal() and joined and joined[-1].isdecimal():
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _counted(words: list[str]) -> list[str]:
    """The words with each spoken number as digits: `twenty` `three` is 23, `one` `thousand` `two` is 1002."""
    counted: list[str] = []
    number: list[str] = []
    for word in [*words, ""]:
        if number and not _goes_on(number[-1], word):
            counted.append(str(_value(number)))
            number = []
        if number or word in _NUMBERS:
            number.append(word)
        else:
            counted.append(word)
    return counted[:-1]


def _goes_on(last: str, word: str) -> bool:
    """Whether a number goes on with this word: `twenty three` does, `nine thirty` does not."""
    return word in _SCALES or (last in _TENS and 0 < _UNITS.get(word, 0) < 10) or (last in _SCALES and word in _NUMBERS)


def _value(number: list[str]) -> int:
    thousands, rest = 0, 0
    for word in number:
        if word == "thousand":
            thousands, rest = thousands + rest * 1000, 0
        else:
            rest = rest * 100 if word == "hundred" else rest + _NUMBERS[word]
    return thousands + rest
