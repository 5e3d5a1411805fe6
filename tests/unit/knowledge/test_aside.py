"""Reading a large document in a process of its own."""

import pytest

from app.errors import DocumentRefused
from app.knowledge.aside import LARGE_BYTES, read_aside
from app.knowledge.document import read_document

LARGE = b"# Prices\n\nCaf\xc3\xa9 AB-4711.\n\n" + b"We are open and you may come. " * (LARGE_BYTES // 30)
OPTIONS = {"name": "a.md", "content_type": "", "language": None, "title": None}


async def test_a_large_document_is_read_like_any_other():
    assert await read_aside(LARGE, **OPTIONS) == read_document(LARGE, name="a.md")


async def test_a_large_document_is_refused_like_any_other():
    with pytest.raises(DocumentRefused, match="UTF-8") as refused:
        await read_aside(b"\xff" * LARGE_BYTES * 2, **OPTIONS)
    assert refused.value.code == "not_utf8"


async def test_a_document_that_takes_too_long_is_given_up():
    with pytest.raises(DocumentRefused, match="could not be read within"):
        await read_aside(LARGE, **OPTIONS, limit_s=0.001)
