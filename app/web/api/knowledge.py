"""Documents that agents look things up in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from app.db import knowledge
from app.db.engine import db_session
from app.db.knowledge_search import search
from app.errors import DocumentRefused
from app.knowledge.aside import read_aside
from app.knowledge.document import COLLECTION
from app.web.api.auth import Reader, Writer
from app.web.api.calls import Responses
from app.web.api.knowledge_models import (
    BODY,
    CollectionName,
    DocumentName,
    KnowledgeDocument,
    KnowledgeDocumentPage,
    KnowledgePassage,
    KnowledgePassages,
    Language,
    Title,
)
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, decode_cursor, page
from app.web.api.preconditions import IfChanged, Precondition, etag, unchanged
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.problems import Problem

_STATUSES = {"too_large": 413, "unknown_type": 415, "version_conflict": 412}
_PIECE_CHARACTERS = 1 << 16
_ETAG = {"headers": {"ETag": {"description": "The version, quoted.", "schema": {"type": "string"}}}}
_NONE: Responses = {404: {"description": "There is no such document."}}
_CONFLICT: Responses = {412: {"description": "Somebody else wrote it since it was read."}}
_UNCHANGED: Responses = {304: {"description": "It is still the version that `If-None-Match` names."}}
_PLACE = {each: f"$response.body#/{each}" for each in ("collection", "name")}
_LINKS = {
    "links": {word: {"operationId": f"{word}_knowledge_document", "parameters": _PLACE} for word in ("get", "delete")}
}
_REFUSED: Responses = {
    201: {"model": KnowledgeDocument, "description": "There was none of this name; now there is."} | _ETAG | _LINKS,
    413: {"description": "It is larger than we read: divide it."},
    415: {"description": "It is none of the kinds that we read; `detail` says what would help."},
    422: {"description": "It cannot be read: no UTF-8, or no words in it."},
}

router = api_router("knowledge", "/knowledge")


@router.get("", name="list_knowledge_documents")
async def list_documents(
    house: House,
    _: Reader,
    limit: Limit = PAGE_ITEMS,
    cursor: Cursor = None,
    collection: Annotated[str | None, Query(pattern=COLLECTION, description="Only those of this collection.")] = None,
) -> KnowledgeDocumentPage:
    """Every document, in the order of collections and names."""
    after = decode_cursor(cursor, 2) if cursor else None
    async with db_session(house.engine) as db:
        place = (after[0], after[1]) if after else None
        found = await knowledge.list_documents(db, limit + 1, collection=collection, after=place)
    shown = page(found, limit, show=KnowledgeDocument.model_validate, place=lambda row: [row.collection, row.name])
    return KnowledgeDocumentPage.model_validate(shown, from_attributes=True)


@router.get("/search", name="search_knowledge")
async def search_documents(
    house: House,
    _: Reader,
    q: Annotated[
        str, Query(min_length=1, max_length=500, description="A question, or words.", examples=["return shoes"])
    ],
    collection: Annotated[
        list[Annotated[str, Query(pattern=COLLECTION)]],
        Query(min_length=1, max_length=20, description="Where to look; more than one may be given."),
    ] = ["default"],  # noqa: B006 (FastAPI copies it)
    limit: Annotated[int, Query(ge=1, le=20, description="The most passages.")] = 5,
) -> KnowledgePassages:
    """What an agent with the tool `query_knowledge` finds when it asks this."""
    async with db_session(house.engine) as db:
        found = await search(db, collection, q, limit)
    return KnowledgePassages(data=[KnowledgePassage.model_validate(each) for each in found])


@router.put(
    "/{collection}/{name}",
    name="replace_knowledge_document",
    responses=_REFUSED | _CONFLICT | {200: _ETAG},
    response_model=KnowledgeDocument,
    openapi_extra=BODY,
)
async def replace_document(
    *,
    collection: CollectionName,
    name: DocumentName,
    request: Request,
    house: House,
    holder: Writer,
    fits: Precondition,
    response: Response,
    language: Language = None,
    title: Title = None,
) -> Any:
    """Upload a document; it takes the place of the one of this name. Agents find it from their next question on.

    The same one once more changes nothing.
    """
    with _told():
        content_type = request.headers.get("content-type", "")
        body = b"".join([piece async for piece in request.stream()])
        document = await read_aside(body, name=name, content_type=content_type, language=language, title=title)
        async with db_session(house.engine) as db:
            kept = await knowledge.keep_document(db, collection, name, document, holder.actor, fits=fits)
    response.status_code = 201 if kept.created else 200
    response.headers["ETag"] = etag(kept.row.version)
    return KnowledgeDocument.model_validate(kept.row)


@router.get(
    "/{collection}/{name}",
    name="get_knowledge_document",
    response_model=KnowledgeDocument,
    responses=_NONE | _UNCHANGED | {200: _ETAG},
)
async def get_document(
    *,
    collection: CollectionName,
    name: DocumentName,
    house: House,
    _: Reader,
    response: Response,
    if_none_match: IfChanged = None,
) -> Any:
    """One document, without its words."""
    async with db_session(house.engine) as db:
        row = await knowledge.find_document(db, collection, name)
    if row is None:
        raise _no_such_document()
    headers = {"ETag": etag(row.version)}
    if unchanged(if_none_match, row.version):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return KnowledgeDocument.model_validate(row)


@router.get(
    "/{collection}/{name}/text",
    name="get_knowledge_text",
    response_class=StreamingResponse,
    responses=_NONE | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Its words."}},
)
async def get_text(collection: CollectionName, name: DocumentName, house: House, _: Reader) -> Response:
    """What was read of the document: its words, as Markdown where it was HTML."""
    async with db_session(house.engine) as db:
        text = await knowledge.document_text(db, collection, name)
    if text is None:
        raise _no_such_document()
    pieces = (text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS))
    return StreamingResponse(pieces, media_type="text/plain; charset=utf-8")


@router.delete("/{collection}/{name}", name="delete_knowledge_document", status_code=204, responses=_NONE | _CONFLICT)
async def delete_document(
    collection: CollectionName, name: DocumentName, house: House, holder: Writer, fits: Precondition
) -> None:
    """Delete the document. Agents do not find it any more."""
    with _told():
        async with db_session(house.engine) as db:
            if not await knowledge.delete_document(db, collection, name, holder.actor, fits=fits):
                raise _no_such_document()


def _no_such_document() -> Problem:
    return Problem(404, "not_found", "There is no document of this name in the collection.")


@contextmanager
def _told() -> Iterator[None]:
    """Say over HTTP why a document is refused."""
    try:
        yield
    except DocumentRefused as error:
        raise Problem(_STATUSES.get(error.code, 422), error.code, str(error)) from None
