"""Calls, what happened in them, and the stream tokens that were redeemed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("account_sid", sa.Text, nullable=False),
        sa.Column("from_number", sa.Text, nullable=False),
        sa.Column("to_number", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("agent_version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("end_reason", sa.Text),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False, index=True),
        sa.Column("answered_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("session", JSONB, nullable=False),
        sa.UniqueConstraint("call_sid", "attempt"),
    )
    op.create_table(
        "call_events",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
    )
    op.create_table(
        "stream_claims",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("claimed_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now(), index=True),
    )
