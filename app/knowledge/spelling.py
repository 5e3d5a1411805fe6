"""Ways to write a word: what stands on a page, is said on the phone and understood by a model is seldom the same."""

import re
import unicodedata
from collections.abc import Iterator

_MARKS = "".join(chr(code) for code in range(0x300, 0x1DFF) if unicodedata.category(chr(code)).startswith("M"))
"""What is written above, below or after a letter, and is part of its word."""
_TOKEN = re.compile(rf"[\w{_MARKS}]+(?:[-./:][\w{_MARKS}]+)*")
_PARTS = re.compile(rf"\d+|[^\W\d_](?:[^\W\d_]|[{_MARKS}])*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_ACCENTS = dict.fromkeys(range(0x300, 0x370))


def folded(text: str) -> str:
    """In lower case, and without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_ACCENTS)
    return unicodedata.normalize("NFC", apart)


def spellings(text: str) -> str:
    """What shall find a text beside its own words: codes without their dashes and in parts, words without accents."""
    found: dict[str, None] = {}
    for token in dict.fromkeys(tokens(text)):
        if not (token.isascii() and token.isalpha()):
            found.update(dict.fromkeys(_others(token)))
    return " ".join(found)


def tokens(text: str) -> list[str]:
    """The words of a text; codes like `AB-4711` are one."""
    return _TOKEN.findall(text)


def parts_of(word: str) -> list[str]:
    """The runs of letters and the runs of digits that a word is made of."""
    return _PARTS.findall(word)


def pairs_of(word: str) -> list[str]:
    """Each two characters that stand together, in scripts without spaces: a word may begin at any of them."""
    runs = _UNSPACED.findall(word)
    return [run[at : at + 2] for run in runs for at in range(max(len(run) - 1, 1))]


def _others(token: str) -> Iterator[str]:
    plain = folded(token)
    parts = parts_of(plain)
    if len(parts) > 1:
        yield "".join(parts)
        yield from parts
    elif plain != token.lower() or plain.isdecimal():
        yield plain
    yield from pairs_of(plain)
