"""Who picked up a call that we placed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("outbound_requests", sa.Column("answered_by", sa.Text))
