"""Calls as they go on, searched and paged."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.drop_index("ix_calls_started_at", "calls")
    op.create_index("calls_newest", "calls", ["started_at", "id"])
    op.create_index("calls_of_agent", "calls", ["agent", "started_at", "id"])
    op.create_index("calls_from", "calls", ["from_number", "started_at", "id"])
    op.create_index("calls_to", "calls", ["to_number", "started_at", "id"])
    op.create_index(
        "call_events_words",
        "call_events",
        [sa.text("to_tsvector('simple', data ->> 'text')")],
        postgresql_using="gin",
        postgresql_where=sa.text("kind in ('caller.transcript', 'agent.transcript')"),
    )
