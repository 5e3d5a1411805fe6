"""The routes that every section of the configuration has: list, read, replace, change, delete, and its versions."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response

from app.conf.writes import Author
from app.web.api.auth import Reader, Writer
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, decode_cursor, page
from app.web.api.preconditions import IfChanged, Precondition, etag, unchanged
from app.web.api.rows import Change, Kind, Reason, VersionNumber, VersionPage, config_faults, show_line
from app.web.deps import Services, services

House = Annotated[Services, Depends(services)]
_ETAG = {"headers": {"ETag": {"description": "The version, quoted.", "schema": {"type": "string"}}}}
_WRITES: dict[int | str, dict[str, Any]] = {
    412: {"description": "Somebody else wrote it since it was read."},
    422: {"description": "The configuration is refused; `errors` name each field."},
}

# mypy: disable-error-code="valid-type, attr-defined, name-defined"
# (the types of names and bodies differ from section to section, and FastAPI reads them when the routes are made)


def add_row_routes(router: APIRouter, kind: Kind) -> None:
    """Add what every section offers."""
    _add_reading(router, kind)
    _add_writing(router, kind)
    _add_versions(router, kind)


def _add_reading(router: APIRouter, kind: Kind) -> None:
    name_type = kind.name

    @router.get(kind.path, name=f"list_{kind.many}", response_model=kind.page)
    async def list_rows(house: House, _: Reader, limit: Limit = PAGE_ITEMS, cursor: Cursor = None) -> Any:
        """Every row, in the order of their names."""
        after = decode_cursor(cursor, 1)[0] if cursor else None
        rows = await house.store.records.page(kind.section, limit + 1, after=after)
        return page(rows, limit, show=kind.show, place=lambda row: [row.name])

    @router.get(
        kind.path + "/{name}",
        name=f"get_{kind.one}",
        response_model=kind.shown,
        responses={200: _ETAG, 304: {"description": "It is still the version that `If-None-Match` names."}},
    )
    async def get_row(
        name: name_type, house: House, _: Reader, response: Response, if_none_match: IfChanged = None
    ) -> Any:
        """One row, as it takes effect; secrets are masked."""
        row = await house.store.records.row(kind.section, name)
        tag = etag(row.version)
        if unchanged(if_none_match, row.version):
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return kind.show(row)


def _add_writing(router: APIRouter, kind: Kind) -> None:
    name_type = kind.name
    given_type = Annotated[kind.given, Body(examples=[{"config": kind.example, "note": "as agreed"}])]
    change_type = Annotated[Change, Body(examples=[{"config": kind.example}])]

    @router.put(
        kind.path + "/{name}",
        name=f"replace_{kind.one}",
        response_model=kind.shown,
        responses=_WRITES | {200: _ETAG, 201: {"model": kind.shown, "description": "There was none; now there is."}},
    )
    async def replace_row(
        *, name: name_type, given: given_type, house: House, holder: Writer, fits: Precondition, response: Response
    ) -> Any:
        """Write the whole row, as a new version; where there is none, make it. Applies to the next call."""
        with config_faults():
            author = Author(holder.actor, given.note)
            written = await house.store.writes.put(kind.section, name, given.config, author, fits)
        response.status_code = 201 if written.created else 200
        response.headers["ETag"] = etag(written.version)
        return kind.show_written(written)

    @router.patch(
        kind.path + "/{name}",
        name=f"update_{kind.one}",
        response_model=kind.shown,
        responses=_WRITES | {200: _ETAG},
    )
    async def update_row(
        *, name: name_type, change: change_type, house: House, holder: Writer, fits: Precondition, response: Response
    ) -> Any:
        """Change some fields, as a new version. Applies to the next call."""
        with config_faults():
            author = Author(holder.actor, change.note)
            written = await house.store.writes.patch(kind.section, name, change.config, author, fits)
        response.headers["ETag"] = etag(written.version)
        return kind.show_written(written)

    @router.delete(
        kind.path + "/{name}",
        name=f"delete_{kind.one}",
        status_code=204,
        responses={409: {"description": "Another row needs it."}, 412: _WRITES[412]},
    )
    async def delete_row(name: name_type, house: House, holder: Writer, fits: Precondition) -> None:
        """Delete the row. Its versions stay, and each can be restored."""
        await house.store.writes.delete(kind.section, name, Author(holder.actor), fits)


def _add_versions(router: APIRouter, kind: Kind) -> None:
    name_type = kind.name

    @router.get(kind.path + "/{name}/versions", name=f"list_{kind.one}_versions", response_model=VersionPage)
    async def list_versions(
        name: name_type, house: House, _: Reader, limit: Limit = PAGE_ITEMS, cursor: Cursor = None
    ) -> Any:
        """What was written when, by whom and why, the newest first; also of a row that was deleted."""
        before = _number(decode_cursor(cursor, 1)[0]) if cursor else None
        found = await house.store.records.versions(kind.section, name, limit + 1, before=before)
        return page(found, limit, show=show_line, place=lambda each: [str(each.version)])

    @router.get(kind.path + "/{name}/versions/{version}", name=f"get_{kind.one}_version", response_model=kind.version)
    async def get_version(name: name_type, version: VersionNumber, house: House, _: Reader) -> Any:
        """What the row was at that version; secrets are masked."""
        return kind.show_version(await house.store.records.version(kind.section, name, version))

    @router.post(
        kind.path + "/{name}/versions/{version}/restore",
        name=f"restore_{kind.one}_version",
        response_model=kind.shown,
        responses=_WRITES | {200: _ETAG},
    )
    async def restore_version(
        *,
        name: name_type,
        version: VersionNumber,
        house: House,
        holder: Writer,
        fits: Precondition,
        response: Response,
        reason: Reason | None = None,
    ) -> Any:
        """Write what the row was at that version as a new one, with the secrets that it had."""
        note = (reason and reason.note) or f"version {version} restored"
        written = await house.store.writes.restore(kind.section, name, version, Author(holder.actor, note), fits)
        response.headers["ETag"] = etag(written.version)
        return kind.show_written(written)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None
