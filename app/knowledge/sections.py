"""What a document is made of once it is read, whatever it was written in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs that stand under the same headings."""

    headings: tuple[str, ...]
    """From the outermost to the nearest."""
    paragraphs: Iterable[str]


def row_in_words(header: Sequence[str], cells: Iterable[str]) -> str:
    """A row of a table that can be read without its header: `product: croissant; price: 2.20`."""
    named = zip([*header, *[""] * 1000], cells)  # noqa: B905 (a row may be longer than its header, or shorter)
    pairs = ((name.strip(), " ".join(cell.split())) for name, cell in named)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)
