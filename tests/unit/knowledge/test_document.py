"""From the bytes of a file to the pieces that a search finds."""

import time
from contextlib import suppress

import pytest

from app.errors import DocumentRefused
from app.knowledge import document as documents
from app.knowledge.document import Document, read_document

PAGE = """<!doctype html><html lang="de-CH"><head><title>Preise &amp; mehr</title><style>p {}</style></head><body>
<nav>Start</nav><h1>Unsere Preise</h1><p>Wir sind
ein <b>Laden</b>.<br>Seit 1990.</p><ul><li><p>eins</p><li>zwei</ul>
<table><thead><tr><th></th><th>Preis</th></tr></thead>
<tr><td>Gipfeli</td><td><p>1.20</p></td></tr><tr><td></td><td>3</td></tr></table>
<table><tr><th>Montag</th><td>9 bis 17</td></tr></table>
<script>if (a<b) { "<p>nein</p>" }</script><h2>Ende</h2>gut</body></html>"""
GUIDE = """---
title: "Shop guide"
lang: en
---
Before any heading.

# Returns
You may return **anything**, see [our page](https://shop.example "t"). Write `code`, 2**3 and __init__.
<!-- not
for readers -->

## Shoes ##
| size | price |
|------|------:|
| 42   | 10 \\| 12 |
| 43   |

```sh
# no heading
```
Setext
------
- a
- b

# Delivery
Soon.
"""


def read(text: str | bytes, name: str = "guide.md", **options: str) -> Document:
    return read_document(text.encode() if isinstance(text, str) else text, name=name, **options)


def pieces(document: Document) -> list[tuple[str, str]]:
    return [(chunk.heading, chunk.text) for chunk in document.chunks]


def test_markdown_keeps_the_headings_above_each_piece():
    guide = read(GUIDE)
    assert (guide.title, guide.language, guide.media_type) == ("Shop guide", "en", "text/markdown")
    assert pieces(guide) == [
        ("Shop guide", "Before any heading."),
        ("Shop guide > Returns", "You may return anything, see our page. Write code, 2**3 and __init__."),
        ("Shop guide > Returns > Shoes", "size: 42; price: 10 | 12\nsize: 43\n# no heading"),
        ("Shop guide > Returns > Setext", "- a\n- b"),
        ("Shop guide > Delivery", "Soon."),
    ]


def test_a_web_page_is_read_without_what_is_not_for_readers():
    page = read(PAGE, "preise.html")
    assert (page.title, page.language) == ("Preise & mehr", "de-CH")
    assert pieces(page) == [
        (
            "Preise & mehr > Unsere Preise",
            "Wir sind ein Laden.\nSeit 1990.\n- eins\n- zwei\nGipfeli; Preis: 1.20\nPreis: 3\nMontag; 9 bis 17",
        ),
        ("Preise & mehr > Unsere Preise > Ende", "gut"),
    ]
    assert page.text.startswith("# Unsere Preise\n\nWir sind ein Laden.")


@pytest.mark.parametrize("page", ["<p>one<p>two", "<table><tr><td>a<td>b<tr><td>c", "<b>x", "</div></tr></td>y",
                                  "<tr><td>z</table>w", "<!-- unended <p>", "<td>lonely", "<a href='"])  # fmt: skip
def test_a_broken_page_is_read_as_far_as_it_goes(page: str):
    assert read(f"start {page}", "a.htm").chunks[0].text.startswith("start")


def test_each_row_of_a_table_can_be_read_without_the_first_one():
    rows = read("sku;name;price\nAB-4711;Café crème;3.50\n\n;x\nlonger;a;b;c\n", "list.csv")
    assert pieces(rows) == [
        ("list", "sku: AB-4711; name: Café crème; price: 3.50\nname: x\nsku: longer; name: a; price: b; c")
    ]
    assert read("only,one,row", "list.csv").chunks[0].text == "only; one; row"
    assert read("a\tb\n1\t2", "list.tsv").chunks[0].text == "a: 1; b: 2"


def test_the_sender_says_what_a_file_is_else_its_name_does():
    assert read("# x\n\ny", "a.txt", content_type="text/markdown; charset=utf-8").chunks[0].heading == "x"
    assert read("# x\n\ny", "a.TXT", content_type="application/octet-stream").chunks[0].text == "# x\ny"
    with pytest.raises(DocumentRefused, match=r"application/x-tar is not read; what is: text/plain"):
        read("x", "a.tar", content_type="application/x-tar")


def test_a_title_is_what_somebody_gives_else_the_only_first_heading_else_the_name():
    assert read("# Own #\n\ntext", title="Given").title == "Given"
    assert read("# Own #\n\ntext").title == "Own"
    assert read("# One\n\ntext\n\n# Two\n\ntext").title == "guide"


def test_marks_of_byte_order_and_line_ends_of_other_systems_leave_no_trace():
    assert pieces(read("\ufeff# A\r\n\r\none\r\rtwo".encode())) == [("A", "one\ntwo")]


def test_more_pieces_than_a_document_may_have_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "MAX_CHUNKS", 3)
    assert len(read("# a\n\nx\n\n" * 3).chunks) == 3
    with pytest.raises(DocumentRefused, match="more than 3 pieces") as refused:
        read("# a\n\nx\n\n" * 4)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 50_000,
        "# " * 100_000 + "x",
        "**a " * 50_000,
        '[a](x "' * 30_000,
        "a\n" + " " * 200_000 + "x",
        "|-" * 100_000 + "\n" + "|-" * 100_000 + "x",
    ],
)
def test_no_text_takes_longer_than_its_length_is_worth(text: str):
    """Each of these would take minutes where a pattern goes back and forth."""
    began_s = time.perf_counter()
    for name in ("a.md", "a.txt"):
        with suppress(DocumentRefused):
            read(text, name)
    assert time.perf_counter() - began_s < 5
