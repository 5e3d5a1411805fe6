"""The tables; `migrations/` makes them, and a test holds the two together."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, Numeric, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REGCONFIG, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as a class attribute, and would map a ClassVar's name)
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
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
    note: Mapped[str | None]
    """Why, in the writer's words."""


class Call(Table):
    """One phone call."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("call_sid", "attempt"),
        Index("calls_newest", "started_at", "id"),
        Index("calls_of_agent", "agent", "started_at", "id"),
        Index("calls_from", "from_number", "started_at", "id"),
        Index("calls_to", "to_number", "started_at", "id"),
    )

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
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    session: Mapped[dict[str, Any]]
    """The compiled session it used."""
    recording: Mapped[str] = mapped_column(server_default="off")
    """`on`, `off` or `declined`: by the caller, and then nothing of it is kept."""
    forget_after: Mapped[datetime | None] = mapped_column(index=True)
    """When its events lose what was said."""


class CallEvent(Table):
    """What happened in a call, in the order of `seq`."""

    __tablename__ = "call_events"
    __table_args__ = (
        Index(
            "call_events_words",
            text("to_tsvector('simple', data ->> 'text')"),
            postgresql_using="gin",
            postgresql_where=text("kind in ('caller.transcript', 'agent.transcript')"),
        ),
    )

    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_ms: Mapped[int]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]


class CallCommand(Table):
    """What somebody asks of a live call that another process carries."""

    __tablename__ = "call_commands"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]
    requested_by: Mapped[str]
    key_id: Mapped[UUID | None]
    state: Mapped[str]
    """See `CommandState`."""
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    """Never begun after this."""


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


class AuditEntry(Table):
    """Something that somebody did through the API or the command line; entries are only ever added."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor: Mapped[str]
    """In words: the key's name, or the user at the command line."""
    key_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    """What was acted on, like `agent/sales`."""
    version_before: Mapped[int | None]
    version_after: Mapped[int | None]


class Recording(Table):
    """The sound of a call: where it is, or why it is not there."""

    __tablename__ = "recordings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_sid: Mapped[str] = mapped_column(index=True)
    account_sid: Mapped[str]
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id"), index=True)
    """Unknown as long as the call's own row is not there; always known for our own."""
    source: Mapped[str]
    """`own`, `twilio` or `voicemail`."""
    twilio_sid: Mapped[str | None] = mapped_column(unique=True)
    agent: Mapped[str]
    caller_channel: Mapped[str]
    state: Mapped[str]
    """See `RecordingState`."""
    reason: Mapped[str | None]
    """Why it is failed, absent or deleted."""
    key: Mapped[str | None]
    """Its name in the storage."""
    sha256: Mapped[str | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int | None]
    channels: Mapped[int | None]
    at_twilio: Mapped[bool]
    """Whether Twilio still has a copy."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    stored_at: Mapped[datetime | None]
    delete_after: Mapped[datetime | None] = mapped_column(index=True)
    deleted_at: Mapped[datetime | None]


class Transcript(Table):
    """A recording in words."""

    __tablename__ = "transcripts"
    __table_args__ = (Index("transcripts_search", "search", postgresql_using="gin"),)

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), index=True)
    state: Mapped[str]
    """See `TranscriptState`."""
    reason: Mapped[str | None]
    """Why it is failed or skipped."""
    text: Mapped[str]
    segments: Mapped[list[dict[str, Any]]]
    """`speaker`, `start_ms`, `end_ms`, `text` of each, in the order they were spoken."""
    language: Mapped[str | None]
    duration_ms: Mapped[int | None]
    model: Mapped[str | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 6))
    differences: Mapped[list[dict[str, Any]]]
    """Where the agent's words in the recording differ from what the call's journal says it said."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    done_at: Mapped[datetime | None]
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed("to_tsvector('simple', text)", persisted=True))


class TranscriptPiece(Table):
    """A piece of a recording whose words have come, until the whole transcript is there."""

    __tablename__ = "transcript_pieces"

    recording_id: Mapped[UUID] = mapped_column(
        ForeignKey("transcripts.recording_id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[int]
    from_ms: Mapped[int]
    until_ms: Mapped[int]
    text: Mapped[str]
    parts: Mapped[list[dict[str, Any]]]
    """Where the model told times itself: `speaker`, `start_ms`, `end_ms`, `text`, from the piece's start."""
    language: Mapped[str | None]
    model: Mapped[str]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 6))
    reason: Mapped[str | None]
    """Why this piece was refused, and has no words."""


class Job(Table):
    """Work that must be done, however often a process dies over it."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_open", "kind", "subject", unique=True, postgresql_where=text("state in ('waiting', 'running')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    """What it is about: the id of a recording, of a delivery. A subject has one open job of a kind."""
    state: Mapped[str] = mapped_column(index=True)
    """See `JobState`."""
    attempts: Mapped[int]
    """Counted before each run."""
    crashes: Mapped[int]
    """Runs in a row that never came to an end, so that work which kills its process ends as well."""
    reason: Mapped[str | None]
    """What the last attempt failed of."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    run_after: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JobPause(Table):
    """A kind of job that nobody works at for now, and why."""

    __tablename__ = "job_pauses"

    kind: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    since: Mapped[datetime] = mapped_column(server_default=func.now())
    until: Mapped[datetime]


class WebhookMessage(Table):
    """Something that the operator's servers may hear of."""

    __tablename__ = "webhook_messages"

    id: Mapped[str] = mapped_column(primary_key=True)
    """What receivers tell doubles by; made of kind and subject."""
    kind: Mapped[str]
    subject: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class WebhookDelivery(Table):
    """A message on its way to one server; whether more tries follow, its job says."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (UniqueConstraint("message_id", "webhook"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    webhook: Mapped[str]
    """The name of its row in `core_conf`."""
    attempts: Mapped[int]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    last_answer: Mapped[str | None]
    """How the server's last answer began, without our secrets."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    tried_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class OutboundRequest(Table):
    """A call that somebody asked us to place, and what became of it."""

    __tablename__ = "outbound_requests"
    __table_args__ = (
        UniqueConstraint("key_id", "idempotency_key"),
        Index("outbound_queue", "account", "not_before", "id", postgresql_where=text("state = 'queued'")),
        Index("outbound_under_way", "account", postgresql_where=text("state in ('dialing', 'ringing', 'live')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID | None]
    """Whose request it is: idempotency keys of others are not his."""
    idempotency_key: Mapped[str | None]
    body_sha256: Mapped[str]
    account: Mapped[str]
    """The row of section `twilio`."""
    to_number: Mapped[str] = mapped_column(index=True)
    from_number: Mapped[str]
    agent: Mapped[str]
    variables: Mapped[dict[str, Any]]
    wait_for_hours: Mapped[bool]
    state: Mapped[str]
    """See `OutboundState`."""
    reason: Mapped[str | None]
    """Why it is refused, failed or canceled, in one word."""
    detail: Mapped[str | None]
    """And in a sentence."""
    attempts: Mapped[int]
    """How often Twilio was asked to place it."""
    call_sid: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    not_before: Mapped[datetime] = mapped_column(server_default=func.now())
    dialed_at: Mapped[datetime | None]
    """When Twilio was asked last."""
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    """A person, a machine, a fax, or unknown; see `Picked`."""
    ended_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    """When we last asked Twilio what became of it."""


class OutboundPace(Table):
    """When an account's next call may be placed, by whichever process."""

    __tablename__ = "outbound_pace"

    account: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]


class OptOut(Table):
    """A number that does not want to be called."""

    __tablename__ = "opt_outs"

    number: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    added_by: Mapped[str]
    note: Mapped[str | None]
    call_id: Mapped[UUID | None]
    """The call in which it was said, where an agent added it."""


class KnowledgeDocument(Table):
    """A document that agents look things up in."""

    __tablename__ = "knowledge_documents"
    __table_args__ = (UniqueConstraint("collection", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    collection: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    media_type: Mapped[str]
    language: Mapped[str | None]
    """Like `de`; without one, words are found in no other form than their own."""
    sha256: Mapped[str]
    """Of the bytes that were uploaded."""
    bytes: Mapped[int]
    chunks: Mapped[int]
    """How many."""
    text: Mapped[str]
    """What was read of it, as Markdown where it has headings."""
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[str]


class KnowledgeChunk(Table):
    """A piece of a document: what a search finds."""

    __tablename__ = "knowledge_chunks"
    __table_args__ = (Index("knowledge_chunks_search", "search", postgresql_using="gin"),)

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey("knowledge_documents.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    collection: Mapped[str]
    """The document's."""
    config: Mapped[Any] = mapped_column(REGCONFIG)
    """PostgreSQL's name for the language."""
    heading: Mapped[str]
    """The title and the headings that it stands under."""
    text: Mapped[str]
    spellings: Mapped[str]
    """Other ways to write what is in it: `ab4711` for AB-4711, `cafe` for café."""
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector(config, heading), 'A') || setweight(to_tsvector(config, text), 'D') "
            "|| setweight(to_tsvector('simple', spellings), 'D')",
            persisted=True,
        ),
    )
