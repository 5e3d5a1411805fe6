"""CSV: each row in words that can be read without the first one."""

import csv
import io
from collections.abc import Iterator

from app.errors import DocumentRefused
from app.knowledge.sections import Section, row_in_words

_DELIMITERS = ",;\t|"


def csv_sections(text: str) -> Iterator[Section]:
    """The rows under the names of their columns, which stand in the first one."""
    yield Section((), _lines(text))


def _lines(text: str) -> Iterator[str]:
    try:
        rows = (row for row in csv.reader(io.StringIO(text), delimiter=_delimiter(text)) if any(map(str.strip, row)))
        header = next(rows, [])
        lines = (row_in_words(header, row) for row in rows)
        yield next(lines, "; ".join(header))
        yield from lines
    except csv.Error as error:
        raise DocumentRefused("unreadable", f"The CSV cannot be read: {error}.") from None


def _delimiter(text: str) -> str:
    """What stands most often in the first line."""
    first = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=first.count)
