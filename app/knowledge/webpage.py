"""HTML: the words of a page, as Markdown."""

from html.parser import HTMLParser

from app.knowledge.sections import row_in_words

_DROPPED = frozenset({"script", "style", "template", "noscript", "svg", "nav", "select", "button", "iframe", "object"})
"""What stands in these is not for readers."""
_ITEM = "- "
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_ROW_ENDS = frozenset({"tr", "table", "thead", "tbody", "tfoot"})
_TEXT_BLOCKS = """
    address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure footer form
    header hgroup hr html legend li main ol p pre section summary ul
"""
_BLOCKS = frozenset(_TEXT_BLOCKS.split()).union(_HEADINGS, _ROW_ENDS)


class WebPage(HTMLParser):
    """A page that was read: its title, its language, its words."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.language = ""
        self._blocks: list[str] = []
        self._text: list[str] = []
        self._before = ""
        """What marks the block as a heading, or as an item of a list."""
        self._dropping: list[str] = []
        self._verbatim = False
        self._in_title = False
        self._table = _Table()
        self.feed(source)
        self.close()
        self._end_row()
        self._end_block()

    @property
    def markdown(self) -> str:
        """Its words, with its headings."""
        return "\n\n".join(self._blocks)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Part of `HTMLParser`."""
        if tag in _DROPPED:
            self._dropping.append(tag)
        if self._dropping:
            return
        if tag in _ROW_ENDS:
            self._end_row()
        if tag in _BLOCKS:
            self._end_block(_HEADINGS.get(tag) or (_ITEM if tag == "li" else ""))
        match tag:
            case "html":
                self.language = dict(attrs).get("lang") or ""
            case "title":
                self._in_title = True
            case "br":
                self._text.append("\n")
            case "pre":
                self._verbatim = True
            case "table":
                self._table = _Table()
            case "tr":
                self._table.begin_row()
            case "td" | "th":
                self._end_cell()
                self._table.begin_cell(heading=tag == "th")

    def handle_endtag(self, tag: str) -> None:
        """Part of `HTMLParser`."""
        if self._dropping:
            if tag in self._dropping:
                del self._dropping[self._dropping.index(tag) :]
            return
        if tag in _ROW_ENDS:
            self._end_row()
        if tag in _BLOCKS:
            self._end_block()
        if tag == "title":
            self._in_title = False
        elif tag == "pre":
            self._verbatim = False

    def handle_data(self, data: str) -> None:
        """Part of `HTMLParser`."""
        if self._in_title:
            self.title += data
        elif not self._dropping:
            self._text.append(data if self._verbatim else data.replace("\n", " "))

    def _end_block(self, before: str = "") -> None:
        """A paragraph ends, and the next one begins; in a cell of a table they stay together."""
        if self._table.in_row:
            self._text.append(" ")
            return
        lines = (" ".join(line.split()) for line in self._taken().split("\n"))
        if text := "\n".join(filter(None, lines)):
            self._blocks.append(self._before + text)
        if text or before or self._before != _ITEM:  # a paragraph may begin within an item
            self._before = before

    def _end_cell(self) -> None:
        if self._table.in_row:
            self._table.end_cell(self._taken())

    def _end_row(self) -> None:
        if not self._table.in_row:
            return
        self._end_cell()
        if words := self._table.end_row():
            self._blocks.append(words)

    def _taken(self) -> str:
        text = "".join(self._text)
        self._text = []
        return text


class _Table:
    """The rows of a table, one after the other."""

    def __init__(self) -> None:
        self._header: list[str] = []
        self._cells: list[str] | None = None
        self._in_cell = False
        self._only_headings = True

    @property
    def in_row(self) -> bool:
        return self._cells is not None

    def begin_row(self) -> None:
        self._cells = []
        self._in_cell = False
        self._only_headings = True

    def begin_cell(self, *, heading: bool) -> None:
        self._in_cell = True
        self._only_headings = self._only_headings and heading

    def end_cell(self, text: str) -> None:
        if self._cells is not None and self._in_cell:
            self._cells.append(text)
        self._in_cell = False

    def end_row(self) -> str:
        """The row in words; nothing where it is the one that names the columns."""
        cells, self._cells = self._cells or [], None
        if cells and self._only_headings and not self._header:
            self._header = [" ".join(cell.split()) for cell in cells]
            return ""
        return row_in_words(self._header, cells)
