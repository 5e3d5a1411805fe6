"""Documents over REST."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.knowledge.document import MAX_BYTES
from tests.db.api import Api, open_api

RETURNS = "# Returns\n\nYou may return shoes within 30 days.\n"
PLACE = "/knowledge/shop/returns.md"


@pytest.fixture
async def api(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(engine, tmp_path) as opened:
        yield opened


async def test_a_document_is_uploaded_found_shown_replaced_and_deleted(api: Api):
    made = await api.ask("PUT", PLACE, content=RETURNS)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.json() | {"title": "Returns", "media_type": "text/markdown", "language": "en", "version": 1,
                          "chunks": 1} == made.json()  # fmt: skip

    found = (await api.ask("GET", "/knowledge/search?q=returning+a+shoe&collection=shop")).json()["data"]
    assert [(each["name"], each["heading"], each["text"]) for each in found] == [
        ("returns.md", "Returns", "You may return shoes within 30 days.")
    ]
    assert (await api.ask("GET", "/knowledge/search?q=returning+a+shoe")).json() == {"data": []}

    same = await api.ask("PUT", PLACE, content=RETURNS)
    assert (same.status_code, same.headers["ETag"]) == (200, '"1"')
    again = await api.ask("PUT", PLACE + "?title=Our+returns", content=RETURNS.replace("30", "60"))
    assert (again.status_code, again.json()["title"], again.json()["version"]) == (200, "Our returns", 2)
    assert (await api.ask("GET", PLACE + "/text")).text == RETURNS.replace("30", "60")
    shown = await api.ask("GET", PLACE)
    assert shown.json() == again.json()
    assert (await api.ask("GET", PLACE, headers={"If-None-Match": '"2"'})).status_code == 304
    found = (await api.ask("GET", "/knowledge/search?q=shoes&collection=shop")).json()["data"]
    assert [each["text"] for each in found] == ["You may return shoes within 60 days."]

    assert (await api.ask("DELETE", PLACE)).status_code == 204
    assert [(await api.ask(*each)).status_code for each in (("GET", PLACE), ("GET", PLACE + "/text"),
                                                            ("DELETE", PLACE))] == [404] * 3  # fmt: skip
    assert (await api.ask("GET", "/knowledge/search?q=shoes&collection=shop")).json() == {"data": []}
    log = (await api.ask("GET", "/audit?subject=knowledge/shop/returns.md")).json()["data"]
    assert [(each["action"], each["version_before"], each["version_after"]) for each in log] == [
        ("delete", 2, None), ("update", 1, 2), ("create", None, 1)
    ]  # fmt: skip


async def test_the_list_comes_in_pages_and_by_collection(api: Api):
    for name in ("a/1.txt", "a/2.txt", "b/1.txt"):
        assert (await api.ask("PUT", f"/knowledge/{name}", content="hello")).status_code == 201
    first = (await api.ask("GET", "/knowledge?limit=2")).json()
    rest = (await api.ask("GET", f"/knowledge?limit=2&cursor={first['next_cursor']}")).json()
    assert [(each["collection"], each["name"]) for each in first["data"] + rest["data"]] == [
        ("a", "1.txt"), ("a", "2.txt"), ("b", "1.txt")
    ]  # fmt: skip
    assert [each["name"] for each in (await api.ask("GET", "/knowledge?collection=b")).json()["data"]] == ["1.txt"]


async def test_a_write_that_has_not_seen_the_last_one_is_refused(api: Api):
    await api.ask("PUT", PLACE, content=RETURNS)
    taken = await api.ask("PUT", PLACE, content="other", headers={"If-None-Match": "*"})
    assert (taken.status_code, taken.json()["code"]) == (412, "version_conflict")
    await api.ask("PUT", PLACE, content="# Returns\n\nNone.", headers={"If-Match": '"1"'})
    late = {"If-Match": '"1"'}
    assert (await api.ask("PUT", PLACE, content=RETURNS, headers=late)).status_code == 412
    assert (await api.ask("DELETE", PLACE, headers=late)).status_code == 412
    assert (await api.ask("GET", PLACE + "/text")).text == "# Returns\n\nNone."


@pytest.mark.parametrize(
    ("upload", "refusal"),
    [
        (("a.pdf", "application/pdf", b"%PDF-1.7 ..."), (415, "unknown_type", "pdftotext")),
        (("a.txt", "text/plain", b"%PDF-1.7 ..."), (415, "unknown_type", "pdftotext")),
        (("a.docx", "", b"PK\x03\x04..."), (415, "unknown_type", "HTML or CSV")),
        (("a.exe", "application/octet-stream", b"text"), (415, "unknown_type", "text/markdown")),
        (("a.txt", "", "Caf\u00e9".encode("latin-1")), (422, "not_utf8", "iconv")),
        (("a.txt", "", b"a\0b"), (422, "not_utf8", "NUL")),
        (("a.txt", "", b" \n "), (422, "empty", "no words")),
        (("a.csv", "", b'a\n"' + b"x" * 200_000), (422, "unreadable", "CSV")),
        (("a.txt", "", b"x" * (MAX_BYTES + 1)), (413, "too_large", "larger")),
    ],
)
async def test_what_cannot_be_read_is_refused_in_words_that_help(
    api: Api, upload: tuple[str, str, bytes], refusal: tuple[int, str, str]
):
    (name, kind, body), (status, code, words) = upload, refusal
    headers = {"Content-Type": kind} if kind else {}
    refused = await api.ask("PUT", f"/knowledge/shop/{name}", content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert words in refused.json()["detail"]
    assert (await api.ask("GET", f"/knowledge/shop/{name}")).status_code == 404


async def test_only_a_writer_uploads_and_nobody_else_sends_ten_mebibytes(api: Api):
    reader = await api.a_key("read")
    large = b"words" + b" " * (MAX_BYTES - 5)
    assert (await api.ask("PUT", PLACE, content=large, key=reader)).status_code == 403
    assert (await api.ask("DELETE", PLACE, key=reader)).status_code == 403
    assert (await api.ask("PUT", PLACE, content=large, key=await api.a_key("write"))).status_code == 201
    assert (await api.ask("POST", "/keys", content=large)).status_code == 413
    assert (await api.ask("GET", PLACE, key=reader)).json()["bytes"] == MAX_BYTES


async def test_a_check_of_an_agent_names_the_collections_that_are_empty(api: Api):
    await api.ask("PUT", PLACE, content=RETURNS)
    agent = {"tools": [{"type": "query_knowledge", "collections": ["shop", "shpo"]}]}
    checked = (await api.ask("POST", "/agents/sales/check", json={"config": agent})).json()
    assert [each for each in checked["warnings"] if "collection" in each] == [
        "tools: query_knowledge looks in the collection 'shpo', which has no document"
    ]
    plain = (await api.ask("POST", "/agents/sales/check", json={"config": {}})).json()
    assert not [each for each in plain["warnings"] if "collection" in each]
