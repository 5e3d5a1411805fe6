"""What alembic runs: the migrations, on the connection that `app.db.migrate` hands in."""

from alembic import context

from app.db.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
