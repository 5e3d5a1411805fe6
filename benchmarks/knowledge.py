"""How long a question takes among a thousand documents of ten thousand pieces, and whether it finds the right one."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.audit import Actor
from app.db.embedded import EmbeddedPostgres
from app.db.engine import create_engine, db_session
from app.db.knowledge import keep_document
from app.db.knowledge_search import search
from app.db.migrate import migrate
from app.knowledge.document import read_document

SECTIONS = 10
SYLLABLES = "ba ke li mo nu pa ri so ta ve wo xi ya zu dra fle gri plo sta tre".split()  # noqa: SIM905 (a word list)
COMMON = "the of and to in is you that it for are on with our we your this be can or from at by will".split()  # noqa: SIM905
QUESTIONS = {
    "an article's number": "How much is article {code}?",
    "two rare words     ": "What can you tell me about the {rare} {rarer} please?",
    "only common words  ": "can you say that it is for our shop and price and delivery",
}


class Shop:
    """Texts in which words are as unequal as in real ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.words = ["".join(random.choices(SYLLABLES, k=random.randint(2, 4))) for _ in range(20_000)]
        self._weights = [1 / rank for rank in range(10, len(self.words) + 10)]

    def section(self, number: int) -> str:
        """About a thousand characters, with an article's number that no other has."""
        rare = self._random.choices(self.words, self._weights, k=90)
        words = rare + self._random.choices(COMMON, k=70) + ["shop", "price", "delivery"]
        self._random.shuffle(words)
        return f"## Section {number}\n\nArticle QX-{number:05} {' '.join(words)}.\n"


async def fill(engine: AsyncEngine, shop: Shop, documents: int) -> float:
    """Seconds it took to read and keep them all."""
    began_s = time.perf_counter()
    for at in range(documents):
        source = f"# Document {at}\n\n" + "\n".join(shop.section(at * SECTIONS + each) for each in range(SECTIONS))
        document = read_document(source.encode(), name=f"{at}.md", language="en")
        async with db_session(engine) as db:
            await keep_document(db, "shop", f"{at}.md", document, Actor("benchmark"))
    return time.perf_counter() - began_s


async def measure(engine: AsyncEngine, shop: Shop, random: Random, *, documents: int, asked: int) -> None:
    """One line for each kind of question."""
    for kind, question in QUESTIONS.items():
        took_ms, right = [], 0
        for _ in range(asked):
            code = f"QX-{random.randrange(documents * SECTIONS):05}"
            said = question.format(code=code, rare=shop.words[random.randrange(2000, 5000)], rarer=shop.words[-1])
            began_s = time.perf_counter()
            async with db_session(engine) as db:
                found = await search(db, ["shop"], said, 5)
            took_ms.append((time.perf_counter() - began_s) * 1000)
            right += bool(found) and code in found[0].text
        took_ms.sort()
        hits = f", {right} of {asked} right" if "{code}" in question else ""
        print(f"{kind}  p50 {took_ms[asked // 2]:6.1f} ms, p95 {took_ms[int(asked * 0.95)]:6.1f} ms{hits}")  # noqa: T201


async def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--asked", type=int, default=100)
    given = parser.parse_args()
    random = Random(1)  # noqa: S311
    shop = Shop(random)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 (nobody else waits)
        server = EmbeddedPostgres(Path(folder) / "server", durable=False)
        engine = create_engine(await server.start())
        await migrate(engine)
        filled_s = await fill(engine, shop, given.documents)
        async with engine.begin() as connection:
            await connection.execute(text("analyze"))
        print(f"{given.documents} documents, {given.documents * SECTIONS} pieces: {filled_s:.1f} s to take in")  # noqa: T201
        await measure(engine, shop, random, documents=given.documents, asked=given.asked)
        await engine.dispose()
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
