"""Rows of the configuration as the API has them: what is given, what is shown, in every section alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WrapValidator

from app.conf.models import Conf
from app.conf.records import ShownRow, ShownVersion
from app.conf.writes import Written
from app.errors import ConfInUse, ConfInvalid, Fault
from app.web.api.paging import Page
from app.web.problems import Problem

NAME = r"^[\w+. -]{1,100}$"

ConfT = TypeVar("ConfT", bound=Conf)
RowName = Annotated[str, Path(pattern=NAME, description="The row's name.", examples=["default"])]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="A version of the row.", examples=[1])]
Note = Annotated[str | None, Field(max_length=1000, description="Why; kept with the version.")]
Masked = Annotated[ConfT, WrapValidator(lambda shown, _: shown), PlainSerializer(lambda shown: shown)]
"""A configuration whose secrets are masked: shown as it is, described as its model."""


class Given(BaseModel, Generic[ConfT]):
    """A row as it shall be."""

    model_config = ConfigDict(extra="forbid")

    config: Annotated[
        ConfT,
        WrapValidator(lambda given, _: given),  # the store reads it: it knows the secrets we hold, and old words
        Field(
            description="All of it: what is left out goes back to its default. A secret that is left out, or given in "
            "its masked form, stays as it is; null takes it away."
        ),
    ]
    note: Note = None


class Change(BaseModel):
    """What shall change in a row."""

    model_config = ConfigDict(extra="forbid")

    config: Annotated[
        dict[str, Any],
        Field(
            description="A JSON merge patch (RFC 7396): objects are merged, lists replaced. Null puts a field back to "
            "its default; where null is a value of its own (no noise reduction), it is set. A secret that is left out "
            "of a tool is that of the tool of the same type and name."
        ),
    ]
    note: Note = None


class Reason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "the old greeting again"}]})

    note: Note = None


class Shown(BaseModel, Generic[ConfT]):
    """A row as it is: every field as it takes effect, secrets as their last four characters."""

    name: str
    version: Annotated[int, Field(description="Counts the row's writes; also its `ETag`.")]
    updated_at: datetime
    updated_by: str
    config: Masked[ConfT]
    warnings: Annotated[list[str], Field(description="What its writer should know; told by writes.")] = Field(
        default_factory=list
    )
    trouble: Annotated[
        str | None, Field(description="Why it cannot be used, where that is so; `config` is then as it was stored.")
    ] = None


class ShownSingle(Shown[ConfT]):
    """The only row of its section, which has its defaults before anybody writes it."""

    version: Annotated[
        int, Field(description="Counts the row's writes; also its `ETag`. 0: `config` is what holds without a row.")
    ]
    updated_at: Annotated[datetime | None, Field(description="Null at version 0.")]  # type: ignore[assignment]
    updated_by: Annotated[str | None, Field(description="Null at version 0.")]  # type: ignore[assignment]


class VersionLine(BaseModel):
    """One version of a row, without what it said."""

    version: int
    updated_at: datetime
    updated_by: str
    note: str | None
    deleted: Annotated[bool, Field(description="Whether this version is the row's deletion.")]


class Version(VersionLine, Generic[ConfT]):
    """What a row was at that version; null where it was deleted."""

    config: Masked[ConfT] | None


class VersionPage(Page[VersionLine]):
    """One page of a row's versions, the newest first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A section of the configuration as the API offers it."""

    section: str
    path: str
    """Where its rows are, like `/agents`."""
    one: str
    """As in `get_agent`."""
    many: str
    """As in `list_agents`."""
    name: Any
    """The type of a row's name in a path."""
    given: type[Given[Any]]
    shown: type[Shown[Any]]
    page: type[Page[Any]]
    version: type[Version[Any]]
    example: dict[str, Any]
    """A configuration as it may be given."""

    def show(self, row: ShownRow, warnings: list[str] | None = None) -> Shown[Any]:
        """The row as it is shown."""
        written: dict[str, Any] = {"updated_at": row.updated_at, "updated_by": row.updated_by}
        return self.shown(
            name=row.name,
            version=row.version,
            config=row.value,
            warnings=warnings or [],
            trouble=row.trouble,
            **written,
        )

    def show_written(self, written: Written) -> Shown[Any]:
        """The row that was just written, with what its writer should know."""
        return self.show(written.row, written.warnings)

    def show_version(self, version: ShownVersion) -> Version[Any]:
        """What the row was."""
        return self.version(**show_line(version).model_dump(), config=version.value)


@contextmanager
def config_faults() -> Iterator[None]:
    """Name what is refused of a configuration by its path in the request's body."""
    try:
        yield
    except ConfInUse:
        raise
    except ConfInvalid as error:
        faults = [Fault(f"config.{each.path}".rstrip("."), each.message, each.code) for each in error.faults]
        raise Problem(422, "invalid_configuration", str(error), faults) from None


def show_line(version: ShownVersion) -> VersionLine:
    """One version without what it said."""
    return VersionLine(
        version=version.version,
        updated_at=version.updated_at,
        updated_by=version.updated_by,
        note=version.note,
        deleted=version.value is None,
    )
