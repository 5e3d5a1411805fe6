"""Documents that agents look things up in."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Select, delete, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.db import audit
from app.db.audit import Actor
from app.db.ids import uuid7
from app.db.tables import KnowledgeChunk, KnowledgeDocument
from app.errors import DocumentRefused
from app.knowledge.document import Document
from app.knowledge.languages import config_of

Fits = Callable[[int], bool]
"""Whether a writer writes over that version; 0 stands for none."""
_CHUNKS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an upload."""

    row: KnowledgeDocument
    created: bool
    changed: bool
    """Whether it is another document than before."""


def always(_version: int) -> bool:
    """The last writer wins."""
    return True


async def keep_document(
    db: AsyncSession, collection: str, name: str, document: Document, who: Actor, *, fits: Fits = always
) -> Kept:
    """Put the document in the place of the one that has this name; the same one once more changes nothing.

    Raises `DocumentRefused` where the version that is there is not one that `fits`.
    """
    before = await _locked(db, collection, name, fits)
    values = _values(document)
    if before and all(getattr(before, key) == value for key, value in values.items()):
        return Kept(before, created=False, changed=False)
    version = before.version + 1 if before else 1
    values |= {"version": version, "updated_by": who.name, "updated_at": func.now()}
    place = {"id": before.id if before else uuid7(), "collection": collection, "name": name}
    row = await db.scalar(
        upsert(KnowledgeDocument)
        .values(place | values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
        .returning(KnowledgeDocument)
        .execution_options(populate_existing=True)
    )
    assert row  # noqa: S101 - it has just been written
    await _replace_chunks(db, row, document)
    action = "update" if before else "create"
    await audit.note(db, who, action, _subject(collection, name), before=version - 1 or None, after=version)
    return Kept(row, created=before is None, changed=True)


async def find_document(db: AsyncSession, collection: str, name: str) -> KnowledgeDocument | None:
    """The document of that name, without its text."""
    found: KnowledgeDocument | None = await db.scalar(_named(collection, name).options(defer(KnowledgeDocument.text)))
    return found


async def document_text(db: AsyncSession, collection: str, name: str) -> str | None:
    """The text of the document of that name; None where there is none."""
    found: KnowledgeDocument | None = await db.scalar(_named(collection, name))
    return found.text if found else None


async def list_documents(
    db: AsyncSession, limit: int | None = None, *, collection: str | None = None, after: tuple[str, str] | None = None
) -> Sequence[KnowledgeDocument]:
    """The documents (of that collection) without their texts, by collection and name; `after` is the last one seen."""
    place = tuple_(KnowledgeDocument.collection, KnowledgeDocument.name)
    wanted = select(KnowledgeDocument).options(defer(KnowledgeDocument.text))
    if collection is not None:
        wanted = wanted.filter_by(collection=collection)
    if after:
        wanted = wanted.where(place > after)
    order = (KnowledgeDocument.collection, KnowledgeDocument.name)
    return (await db.scalars(wanted.order_by(*order).limit(limit))).all()


async def collections_with_documents(db: AsyncSession) -> set[str]:
    """The collections that there are."""
    return set(await db.scalars(select(KnowledgeDocument.collection).distinct()))


async def delete_document(db: AsyncSession, collection: str, name: str, who: Actor, *, fits: Fits = always) -> bool:
    """Delete the document; False where there is none. Raises `DocumentRefused` as `keep_document` does."""
    row = await _locked(db, collection, name, fits)
    if row is None:
        return False
    await db.execute(delete(KnowledgeDocument).where(KnowledgeDocument.id == row.id))
    await audit.note(db, who, "delete", _subject(collection, name), before=row.version)
    return True


async def _locked(db: AsyncSession, collection: str, name: str, fits: Fits) -> KnowledgeDocument | None:
    """The document, which nobody else writes until this transaction ends; also where there is none yet."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_subject(collection, name), 0))))
    row: KnowledgeDocument | None = await db.scalar(_named(collection, name))
    if not fits(row.version if row else 0):
        raise DocumentRefused("version_conflict", "It is not at the version that this write was made for.")
    return row


async def _replace_chunks(db: AsyncSession, row: KnowledgeDocument, document: Document) -> None:
    await db.execute(delete(KnowledgeChunk).where(KnowledgeChunk.document_id == row.id))
    every = {"document_id": row.id, "collection": row.collection, "config": config_of(document.language)}
    for start in range(0, len(document.chunks), _CHUNKS_AT_ONCE):
        several = document.chunks[start : start + _CHUNKS_AT_ONCE]
        rows = [{"position": start + at, **every, **asdict(chunk)} for at, chunk in enumerate(several)]
        await db.execute(insert(KnowledgeChunk), rows)


def _values(document: Document) -> dict[str, object]:
    return {
        "title": document.title,
        "media_type": document.media_type,
        "language": document.language,
        "sha256": document.sha256,
        "bytes": document.bytes,
        "chunks": len(document.chunks),
        "text": document.text,
    }


def _named(collection: str, name: str) -> Select[KnowledgeDocument]:
    return select(KnowledgeDocument).filter_by(collection=collection, name=name)


def _subject(collection: str, name: str) -> str:
    return f"knowledge/{collection}/{name}"
