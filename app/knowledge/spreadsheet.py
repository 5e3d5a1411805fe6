"""CSV: each row in words that can be read without the first one."""

import csv
import io
from collections.abc import Iterator

from app.errors import DocumentRefused
from app.knowledge.sections import Section, row_in_words

_DELIMITERS = ",;\t|"


def csv_sections(text: str) -> Iterator[Section]:
    """The rows under the names of their columns, which stand in the first one."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=_delimiter(text)) if any(map(str.strip, row))]
    except csv.Error as error:
        raise DocumentRefused("unreadable", f"The CSV cannot be read: {error}.") from None
    if not rows:
        return
    header, *others = rows
    lines = [row_in_words(header, row) for row in others] if others else ["; ".join(header)]
    yield Section((), tuple(line for line in lines if line))


def _delimiter(text: str) -> str:
    """What stands most often in the first line."""
    first = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=first.count)
