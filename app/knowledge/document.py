"""From the bytes of a file to a document that can be searched."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath

from app.errors import DocumentRefused
from app.knowledge.chunks import Chunk, cut
from app.knowledge.languages import language_of
from app.knowledge.markdown import front_matter, heading_of, markdown_sections, plain_sections
from app.knowledge.sections import Section
from app.knowledge.spreadsheet import csv_sections
from app.knowledge.webpage import WebPage

COLLECTION = r"^[\w+. -]{1,100}$"
"""What a collection may be called."""
NAME = r"^\w[\w+. (),&'@-]{0,199}$"
"""What a document may be called."""
MAX_BYTES = 10 << 20
MAX_CHUNKS = 10_000
TEXT, MARKDOWN, HTML, CSV = "text/plain", "text/markdown", "text/html", "text/csv"
SUFFIXES = {
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".csv": CSV,
    ".tsv": CSV,
}
_ALSO = {"text/x-markdown": MARKDOWN, "application/xhtml+xml": HTML, "application/csv": CSV,
         "text/tab-separated-values": CSV}  # fmt: skip
_SECTIONS: dict[str, Callable[[str], Iterator[Section]]] = {
    TEXT: plain_sections,
    MARKDOWN: markdown_sections,
    HTML: markdown_sections,
    CSV: csv_sections,
}
_REMEDIES = {
    b"%PDF-": "PDF is not read. Save it as text first: pdftotext -layout FILE.pdf FILE.txt",
    b"PK\x03\x04": "Word, Excel and other zipped files are not read. Save it as text, HTML or CSV first.",
    b"\xd0\xcf\x11\xe0": "Old Office files are not read. Save it as text, HTML or CSV first.",
    b"{\\rtf": "RTF is not read. Save it as text or HTML first.",
}
_TITLE_CHARACTERS = 200
_FIRST_HEADINGS = re.compile(r"^#[ \t]+(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read."""

    title: str
    media_type: str
    language: str | None
    text: str
    chunks: list[Chunk]
    sha256: str
    """Of its bytes."""
    bytes: int


def read_document(
    data: bytes, *, name: str, content_type: str = "", language: str | None = None, title: str | None = None
) -> Document:
    """Read a file. Takes seconds for the largest ones: not for the event loop. Raises `DocumentRefused`."""
    text = _decoded(data)
    media_type = _media_type(name, content_type)
    told = front_matter(text) if media_type == MARKDOWN else {}
    said = told.get("language") or told.get("lang")
    page = WebPage(text) if media_type == HTML else None
    if page:
        text, said, told = page.markdown, page.language, {"title": page.title}
    headings = _FIRST_HEADINGS.findall(text) if media_type in {MARKDOWN, HTML} else []
    own = heading_of(headings[0]) if len(headings) == 1 else ""  # one of several is not the title of them all
    shown = title or told.get("title") or own or PurePath(name).stem
    shown = " ".join(shown.split())[:_TITLE_CHARACTERS]
    chunks = list(islice(cut(shown, _SECTIONS[media_type](text)), MAX_CHUNKS + 1))
    if not chunks:
        raise DocumentRefused("empty", "There are no words in it.")
    if len(chunks) > MAX_CHUNKS:
        raise DocumentRefused("too_large", f"It has more than {MAX_CHUNKS} pieces: divide it.")
    spoken = language or said or language_of(text)
    return Document(shown, media_type, spoken, text, chunks, hashlib.sha256(data).hexdigest(), len(data))


def _media_type(name: str, content_type: str) -> str:
    """What a file is, by what its sender says, else by its name. Raises `DocumentRefused` for what we do not read."""
    said = content_type.partition(";")[0].strip().lower()
    if (known := _ALSO.get(said, said)) in _SECTIONS:
        return known
    if by_name := SUFFIXES.get(PurePath(name).suffix.lower()):
        return by_name
    told = f"{said or 'a file of this name'} is not read; what is: {', '.join(_SECTIONS)}"
    raise DocumentRefused("unknown_type", f"{told}. Send its Content-Type, or name it like {', '.join(SUFFIXES)}.")


def _decoded(data: bytes) -> str:
    """The text, with plain line ends. Raises `DocumentRefused` where it is none, or larger than we read."""
    if len(data) > MAX_BYTES:
        raise DocumentRefused("too_large", f"It is larger than {MAX_BYTES >> 20} MiB: divide it.")
    for start, remedy in _REMEDIES.items():
        if data.startswith(start):
            raise DocumentRefused("unknown_type", remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentRefused(
            "not_utf8",
            f"It is not UTF-8 (byte {error.start + 1}). Save it as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 FILE",
        ) from None
    if "\0" in text:
        raise DocumentRefused("not_utf8", "It is no text: there are NUL characters in it.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
