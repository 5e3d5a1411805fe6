"""Calls that we place, the pace at which we do, and who does not want to be called."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"

_MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outbound_requests",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("key_id", sa.Uuid),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("body_sha256", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("to_number", sa.Text, nullable=False, index=True),
        sa.Column("from_number", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("variables", JSONB, nullable=False),
        sa.Column("wait_for_hours", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("call_sid", sa.Text, unique=True),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("not_before", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("dialed_at", _MOMENT),
        sa.Column("answered_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("checked_at", _MOMENT),
        sa.UniqueConstraint("key_id", "idempotency_key"),
    )
    op.create_index(
        "outbound_queue",
        "outbound_requests",
        ["account", "not_before", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "outbound_under_way",
        "outbound_requests",
        ["account"],
        postgresql_where=sa.text("state in ('dialing', 'ringing', 'live')"),
    )
    op.create_table(
        "outbound_pace",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("next_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "opt_outs",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("added_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("call_id", sa.Uuid),
    )
