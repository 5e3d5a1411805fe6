"""The database, as of one moment: our tables, each as a file."""

from pathlib import Path
from typing import Any

from app.backup.archive import TableEntry
from app.db.migrate import revisions
from app.db.tables import Table
from app.errors import BackupError

LEFT_OUT = frozenset({"stream_claims"})
"""Used stream tokens: they last for a minute. The queue's tables are made anew of `jobs`."""
SETTLED = ("set local datestyle = 'ISO'", "set local intervalstyle = 'postgres'", "set local timezone = 'UTC'")
"""So that a value is spelt the same, whatever the server prefers."""
_COLUMNS = """
    select attname from pg_attribute
    where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum
"""


async def schema_of(link: Any) -> str | None:
    """The migration that the database is at; None where there has been none."""
    if await link.fetchval("select to_regclass('alembic_version')") is None:
        return None
    version: str | None = await link.fetchval("select version_num from alembic_version")
    return version


async def known_schema(link: Any) -> str:
    """The same; raises `BackupError` where this build cannot know what the tables mean."""
    schema = await schema_of(link)
    if schema is None:
        raise BackupError("there is nothing to back up: the database has none of our tables")
    if schema not in revisions():
        raise BackupError(f"the database is of a later release (schema {schema}): use that one's `parley backup`")
    return schema


async def tables_of(link: Any) -> list[TableEntry]:
    """Our tables in an order in which none needs a later one; `rows` are not counted yet."""
    found = []
    for table in Table.metadata.sorted_tables:
        columns = [row[0] for row in await link.fetch(_COLUMNS, table.name)]
        if columns and table.name not in LEFT_OUT:
            found.append(TableEntry(str(table.name), columns, 0))  # a plain text, past its quoting
    return found


async def dump_table(link: Any, table: TableEntry, file: Path) -> TableEntry:
    """Write the table's rows into the file; the entry with their number."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    done = await link.copy_from_query(f'select {columns} from "{table.name}"', output=file)  # noqa: S608 (our names)
    return TableEntry(table.name, table.columns, int(done.rpartition(" ")[2]))
