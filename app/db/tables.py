"""The tables; `migrations/` makes them, and a test holds the two together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as a class attribute, and would map a ClassVar's name)
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class CoreConf(Table):
    """What an operator set, one row for each thing; secrets in it are encrypted."""

    __tablename__ = "core_conf"

    section: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    version: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[str]


class CoreConfHistory(Table):
    """Every version a row of `core_conf` ever had; without a value where it was deleted."""

    __tablename__ = "core_conf_history"

    section: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[str]


class Call(Table):
    """One phone call."""

    __tablename__ = "calls"
    __table_args__ = (UniqueConstraint("call_sid", "attempt"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_sid: Mapped[str]
    attempt: Mapped[int]
    """How often the phone call had lost its stream before: each stream is a row."""
    account_sid: Mapped[str]
    from_number: Mapped[str]
    to_number: Mapped[str]
    direction: Mapped[str]
    agent: Mapped[str]
    agent_version: Mapped[int]
    status: Mapped[str]
    end_reason: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    session: Mapped[dict[str, Any]]
    """The compiled session it used."""


class CallEvent(Table):
    """What happened in a call, in the order of `seq`."""

    __tablename__ = "call_events"

    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_ms: Mapped[int]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]


class StreamClaim(Table):
    """A stream token that has been redeemed."""

    __tablename__ = "stream_claims"

    token_id: Mapped[str] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class ApiKey(Table):
    """A bearer key of the admin API; only its SHA-256 is kept."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
