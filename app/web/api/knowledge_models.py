"""Documents and what is found in them, as the API has them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.knowledge.document import COLLECTION, MARKDOWN, NAME
from app.web.api.paging import Page

CollectionName = Annotated[
    str, Path(pattern=COLLECTION, description="The collection; agents name those that they look in.", examples=["shop"])
]
DocumentName = Annotated[str, Path(pattern=NAME, description="The document's name.", examples=["returns.md"])]
Language = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$",
        description="The language it is in; without it, what the document says, or what its words look like.",
        examples=["en"],
    ),
]
Title = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        description="Its title; without it, the document's own, or its name.",
        examples=["Returns"],
    ),
]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The document itself, in UTF-8, of up to 10 MiB: Markdown, text, HTML or CSV, as the ending of "
        "its name says, or a `Content-Type` of `text/markdown`, `text/plain`, `text/html` or `text/csv`.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "# Returns\n\nYou may return anything within 30 days.\n",
            }
        },
    }
}


class KnowledgeDocument(BaseModel):
    """A document that agents look things up in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    collection: str
    name: str
    title: str
    media_type: Annotated[str, Field(examples=[MARKDOWN])]
    language: Annotated[str | None, Field(description="Null where nobody said, and its words do not tell.")]
    sha256: Annotated[str, Field(description="Of the bytes that were uploaded.")]
    bytes: int
    chunks: Annotated[int, Field(description="In how many pieces it can be found.")]
    version: Annotated[int, Field(description="Goes up when another document takes its place.")]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class KnowledgeDocumentPage(Page[KnowledgeDocument]):
    """One page of documents."""


class KnowledgePassage(BaseModel):
    """A piece of a document that may hold an answer."""

    model_config = ConfigDict(from_attributes=True)

    collection: str
    name: Annotated[str, Field(description="The document's name.")]
    title: str
    heading: Annotated[str, Field(description="The title and the headings that it stands under.")]
    position: Annotated[int, Field(description="Which piece of the document it is, from 0.")]
    text: str
    score: Annotated[float, Field(description="How well it fits; only good for comparing it with the others.")]


class KnowledgePassages(BaseModel):
    """What was found, the best first."""

    data: list[KnowledgePassage]
