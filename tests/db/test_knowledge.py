"""Documents in the database, and what is found in them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.audit import Actor
from app.db.engine import db_session
from app.db.knowledge import Kept, keep_document
from app.db.knowledge_search import Passage, search
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
