"""What was said in a call has a retention of its own: it may have no recording."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("calls", sa.Column("forget_after", sa.TIMESTAMP(timezone=True)))
    op.create_index("ix_calls_forget_after", "calls", ["forget_after"])
