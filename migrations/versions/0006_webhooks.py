"""Messages to the operator's own servers, and what became of each."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
