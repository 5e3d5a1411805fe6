"""What documents have to say to a question.

Each word of the question counts by how seldom it is in these documents, so that the few words that say what is
wanted outweigh the many that do not; PostgreSQL's own ranks know nothing of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import KnowledgeDocument
from app.knowledge.languages import configs_of
from app.knowledge.question import terms_of

LEAST_SHARE = 0.3
"""What is so much worse than the best that was found is no answer."""
_SEARCH = text("""
with terms as (
    select * from unnest(cast(:words as text[]), cast(:plain as text[]), cast(:parts as text[]),
                         cast(:prefixes as text[])) with ordinality as term(word, plain, parts, prefix, nr)
), forms as (  -- of each term in each language: as a word, as a code, as what a longer word begins with
    select nr, plainto_tsquery(config, word) || plainto_tsquery('simple', plain) || plainto_tsquery(config, parts)
        as exact, case when prefix = '' then '' else to_tsquery(config, '''' || prefix || ''':*') end as longer
    from terms, unnest(cast(cast(:configs as text[]) as regconfig[])) as config
), asked as (
    select nr, cast(string_agg(nullif(cast(exact as text), ''), ' | ') as tsquery) as exact,
        cast(string_agg(nullif(cast(exact || longer as text), ''), ' | ') as tsquery) as loose
    from forms group by nr
), matched as materialized (  -- half as good where only the beginning fits
    select nr, document_id, position,
        (case when search @@ exact then 1.0 else 0.5 end) * (1 + ts_rank(search, loose)) as fit
    from asked join knowledge_chunks on search @@ loose
    join knowledge_documents on id = document_id and collection = any(cast(:collections as text[]))
), weights as (  -- as in BM25
    select nr, ln(1 + (:total - count(*) + 0.5) / (count(*) + 0.5)) as weight from matched group by nr
), best as (
    select document_id, position, sum(weight * fit) as score from matched join weights using (nr)
    group by document_id, position order by score desc, document_id, position limit :limit
)
select collection, name, title, heading, position, chunk.text, cast(score as float)
from best join knowledge_chunks as chunk using (document_id, position) join knowledge_documents on id = document_id
order by score desc, document_id, position
""")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that may hold an answer."""

    collection: str
    name: str
    title: str
    heading: str
    position: int
    text: str
    score: float


async def search(db: AsyncSession, collections: Sequence[str], question: str, limit: int) -> list[Passage]:
    """The passages of these collections that fit the question best, the best one first."""
    about = select(KnowledgeDocument.language, func.sum(KnowledgeDocument.chunks))
    within = about.where(KnowledgeDocument.collection.in_(collections)).group_by(KnowledgeDocument.language)
    known = (await db.execute(within)).all()
    terms = terms_of(question)
    if not terms or not known:
        return []
    asked = {
        "words": [term.word for term in terms],
        "plain": [term.plain for term in terms],
        "parts": [" ".join(term.parts) for term in terms],
        "prefixes": [term.prefix for term in terms],
        "configs": configs_of(language for language, _ in known),
        "collections": list(collections),
        "total": sum(count for _, count in known),
        "limit": limit,
    }
    found = [Passage(*row) for row in await db.execute(_SEARCH, asked)]
    return [each for each in found if each.score >= LEAST_SHARE * found[0].score]
