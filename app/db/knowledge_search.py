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
LEAST_WEIGHT = 0.2
"""A word that says so much less than another one of the question is in too many pieces to look at them all."""
TOO_MANY = 2000
"""In so many pieces a word is only counted, for to rank each of them takes time and tells little."""
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
), weighed as (  -- as in BM25
    select exact, loose, hits, ln(1 + (:total - hits + 0.5) / (hits + 0.5)) as weight
    from asked, lateral (
        select count(*) as hits from knowledge_chunks
        where search @@ loose and collection = any(cast(:collections as text[]))
    ) as counted where hits > 0
), matched as materialized (  -- half as good where only the beginning fits
    select document_id, position, fit from weighed, lateral (
        select document_id, position, weight * case when hits > :too_many then 1
            else (case when search @@ exact then 1.0 else 0.5 end) * (1 + ts_rank(search, loose)) end as fit
        from knowledge_chunks where search @@ loose and collection = any(cast(:collections as text[])) offset 0
    ) as fitting where weight >= :least_weight * (select max(weight) from weighed)
), best as (
    select document_id, position, sum(fit) as score from matched
    group by document_id, position order by score desc, document_id, position limit :limit
)
select chunk.collection, name, title, heading, position, chunk.text, cast(score as float)
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
        "least_weight": LEAST_WEIGHT,
        "too_many": TOO_MANY,
    }
    found = [Passage(*row) for row in await db.execute(_SEARCH, asked)]
    return [each for each in found if each.score >= LEAST_SHARE * found[0].score]
