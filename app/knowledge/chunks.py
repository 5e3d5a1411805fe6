"""A document cut into the pieces that a search finds: each can be read without the others."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.knowledge.sections import Section
from app.knowledge.spelling import spellings

ENOUGH_CHARACTERS, MOST_CHARACTERS = 800, 1200
OVERLAP_CHARACTERS = 150
HEADING_CHARACTERS = 300
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')»”’]*\s+|(?<=[。！？])|\n")  # noqa: RUF001 (they end sentences elsewhere)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document."""

    heading: str
    """The document's title and the headings above it."""
    text: str
    spellings: str
    """Other ways to write the words of both."""


def cut(title: str, sections: Iterable[Section]) -> Iterator[Chunk]:
    """The pieces, in their order. They end where a paragraph does, or at least a sentence, where one is too long."""
    for section in sections:
        heading = _heading(title, section.headings)
        for text in _packed(piece for each in section.paragraphs for piece in _pieces(each)):
            yield Chunk(heading, text, spellings(f"{heading}\n{text}"))


def _heading(title: str, headings: tuple[str, ...]) -> str:
    path = headings if headings and headings[0] == title else (title, *headings)
    words = " > ".join(each for each in path if each)
    return words if len(words) <= HEADING_CHARACTERS else f"{words[: HEADING_CHARACTERS - 1]}…"


def _packed(paragraphs: Iterable[str]) -> Iterator[str]:
    """Paragraphs together, as many as make a piece."""
    text = ""
    for paragraph in paragraphs:
        if text and (len(text) >= ENOUGH_CHARACTERS or len(text) + len(paragraph) + 1 > MOST_CHARACTERS):
            yield text
            text = ""
        text = f"{text}\n{paragraph}" if text else paragraph
    if text:
        yield text


def _pieces(paragraph: str) -> Iterator[str]:
    """The paragraph; of one that is too long each piece begins with the last words of the one before."""
    paragraph = paragraph.strip()
    start = 0
    while len(paragraph) - start > MOST_CHARACTERS:
        end = _end(paragraph, start)
        yield paragraph[start:end].strip()
        start = _overlapped(paragraph, start, end)
    if rest := paragraph[start:].strip():
        yield rest


def _end(text: str, start: int) -> int:
    """Where a piece that begins there ends: after a sentence, else between words, else just somewhere."""
    latest = start + MOST_CHARACTERS
    ends = [found.end() for found in _SENTENCE_END.finditer(text, start + ENOUGH_CHARACTERS // 2, latest)]
    if ends:
        return ends[-1]
    space = text.rfind(" ", start + ENOUGH_CHARACTERS // 2, latest)
    return space + 1 if space > 0 else latest


def _overlapped(text: str, start: int, end: int) -> int:
    """Where the next piece begins: with the last sentences of this one, for they may say what the next is about."""
    earliest = max(start + 1, end - OVERLAP_CHARACTERS)
    ends = [found.end() for found in _SENTENCE_END.finditer(text, earliest, end)]
    return next((each for each in ends if each < end), end)
