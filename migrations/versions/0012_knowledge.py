"""Documents that agents look things up in, and the pieces of them that are found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import REGCONFIG, TIMESTAMP, TSVECTOR

revision = "0012"
down_revision = "0011"

_MOMENT = TIMESTAMP(timezone=True)
_SEARCH = (
    "setweight(to_tsvector(config, heading), 'A') || setweight(to_tsvector(config, text), 'D') "
    "|| setweight(to_tsvector('simple', spellings), 'D')"
)


def upgrade() -> None:
    op.create_table(
        "knowledge_documents",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.UniqueConstraint("collection", "name"),
    )
    op.create_table(
        "knowledge_chunks",
        sa.Column(
            "document_id", sa.Uuid, sa.ForeignKey("knowledge_documents.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("config", REGCONFIG, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("spellings", sa.Text, nullable=False),
        sa.Column("search", TSVECTOR, sa.Computed(_SEARCH, persisted=True)),
    )
    op.create_index("knowledge_chunks_search", "knowledge_chunks", ["search"], postgresql_using="gin")
