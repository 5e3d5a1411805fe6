"""Recordings and their words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0004"
down_revision = "0003"

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("calls", sa.Column("recording", sa.Text, nullable=False, server_default="off"))
    op.create_table(
        "recordings",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_sid", sa.Text, nullable=False, index=True),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id"), index=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("twilio_sid", sa.Text, unique=True),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("caller_channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("sha256", sa.Text),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("channels", sa.Integer),
        sa.Column("at_twilio", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now(), index=True),
        sa.Column("stored_at", MOMENT),
        sa.Column("delete_after", MOMENT, index=True),
        sa.Column("deleted_at", MOMENT),
    )
    op.create_table(
        "transcripts",
        sa.Column("recording_id", sa.Uuid, sa.ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="CASCADE"), index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("segments", JSONB, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("model", sa.Text),
        sa.Column("cost_usd", sa.Numeric(12, 6)),
        sa.Column("differences", JSONB, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("done_at", MOMENT),
        sa.Column("search", TSVECTOR, sa.Computed("to_tsvector('simple', text)", persisted=True), nullable=False),
    )
    op.create_index("transcripts_search", "transcripts", ["search"], postgresql_using="gin")
    op.create_table(
        "transcript_pieces",
        sa.Column(
            "recording_id",
            sa.Uuid,
            sa.ForeignKey("transcripts.recording_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("from_ms", sa.Integer, nullable=False),
        sa.Column("until_ms", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("parts", JSONB, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("cost_usd", sa.Numeric(12, 6)),
        sa.Column("reason", sa.Text),
    )
