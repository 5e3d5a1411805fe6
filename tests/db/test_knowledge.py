"""Documents in the database, and what is found in them."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.audit import Actor
from app.db.engine import db_session
from app.db.knowledge import Kept, document_text, keep_document
from app.db.knowledge_search import Passage, search
from app.db.tables import KnowledgeChunk
from app.knowledge.document import read_document

TESTER = Actor("tester")
SHOP = """
# Shop guide

## Returns
You may return anything within 30 days. Shoes must not have been worn.

## Opening hours
We are open from nine to five on weekdays, and closed on Sundays.

## Spare parts
The pump AB-4711 costs 89.50 euros. The filter for it is the XK/200.

## Café
Our café serves crêpes until three.
"""
LADEN = """
# Lieferung
Die Lieferungskosten betragen 5 Euro, und wir liefern in die ganze Schweiz. Die Gebühr ist nicht hoch.
"""


async def keep(engine: AsyncEngine, text: str | bytes, *, name: str = "guide.md", collection: str = "default",
               **options) -> Kept:  # fmt: skip
    data = text.encode() if isinstance(text, str) else text
    document = read_document(data, name=name, **options)
    async with db_session(engine) as db:
        return await keep_document(db, collection, name, document, TESTER)


async def found(engine: AsyncEngine, question: str, *collections: str, limit: int = 5) -> list[Passage]:
    async with db_session(engine) as db:
        return await search(db, collections or ["default"], question, limit)


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("Can I return shoes that I have worn?", "Returns"),
        ("returning a shoe", "Returns"),
        ("when do you open on sunday", "Opening hours"),
        ("how much is AB-4711", "Spare parts"),
        ("ab4711", "Spare parts"),
        ("AB 4711", "Spare parts"),
        ("4711", "Spare parts"),
        ("ab47", "Spare parts"),
        ("xk 200", "Spare parts"),
        ("89.50", "Spare parts"),
        ("do you have crepes in the cafe", "Café"),
        ("Wie hoch sind die Kosten der Lieferung?", "Lieferung"),
        ("gebuhr", "Lieferung"),
    ],
)
async def test_a_question_finds_the_passage_that_answers_it(engine: AsyncEngine, question: str, heading: str):
    await keep(engine, SHOP)
    await keep(engine, LADEN, name="laden.md")
    best, *_ = await found(engine, question)
    assert best.heading.split(" > ")[-1] == heading, best


async def test_words_of_a_script_without_spaces_are_found(engine: AsyncEngine):
    await keep(engine, "# 料金\n\n配達の料金は五百円です。\n\n# 営業時間\n\n月曜日は休みです。\n", name="jp.md")
    assert [each.heading for each in await found(engine, "料金はいくらですか")] == ["jp > 料金"]


async def test_the_rare_words_of_a_question_count_for_more_than_the_common_ones(engine: AsyncEngine):
    for number in range(30):
        await keep(engine, f"You can order by phone. Order, order, order. Note {number}.", name=f"{number}.txt")
    await keep(engine, "You can order a gift voucher in any shop.", name="gifts.txt")
    assert [each.name for each in await found(engine, "how can I order a voucher")] == ["gifts.txt"]


async def test_a_document_takes_the_place_of_the_one_before_as_a_whole(engine: AsyncEngine):
    first = await keep(engine, SHOP)
    again = await keep(engine, SHOP)
    assert (first.created, first.changed, again.created, again.changed) == (True, True, False, False)
    second = await keep(engine, "# Guide\n\nNothing but pears.")
    assert (second.row.id, second.row.version, second.changed) == (first.row.id, 2, True)
    assert await found(engine, "shoes") == []
    assert [each.heading for each in await found(engine, "pears")] == ["Guide"]
    async with db_session(engine) as db:
        assert await db.scalar(select(func.count()).select_from(KnowledgeChunk)) == second.row.chunks == 1


async def test_an_upload_that_breaks_off_leaves_what_was_there(engine: AsyncEngine):
    await keep(engine, SHOP)
    document = read_document(b"# Guide\n\nPears.", name="guide.md")
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 (the transaction is what must be left)
        async with db_session(engine) as db:
            await keep_document(db, "default", "guide.md", document, TESTER)
            raise ZeroDivisionError
    assert [each.heading for each in await found(engine, "shoes")] == ["Shop guide > Returns"]


async def test_uploads_of_one_name_at_the_same_time_come_one_after_the_other(engine: AsyncEngine):
    kept = await asyncio.gather(*(keep(engine, f"Number {number} of five.") for number in range(5)))
    assert sorted(each.row.version for each in kept) == [1, 2, 3, 4, 5]
    assert [each.created for each in kept].count(True) == 1
    [passage] = await found(engine, "number")
    async with db_session(engine) as db:
        assert await document_text(db, "default", "guide.md") == passage.text
