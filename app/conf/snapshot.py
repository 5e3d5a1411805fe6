"""What `core_conf` held when we last saw it: typed in memory, encrypted in a file for a start without the database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog

from app.conf.models import Conf, Known
from app.conf.secrets import KeyRing
from app.db.core_conf import Row
from app.errors import ConfError, SecretsError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row and what it says."""

    row: Row
    conf: Conf


Snapshot = Mapping[tuple[str, str], Entry]


def take(rows: Iterable[Row], before: Snapshot, key_ring: KeyRing, known: Known, *, strict: bool) -> Snapshot:
    """The typed rows. One that cannot be read keeps its last good value; `strict` refuses one for lack of its key."""
    entries: dict[tuple[str, str], Entry] = {}
    for row in rows:
        last = before.get(row.key)
        if last and last.row == row:
            entries[row.key] = last
            continue
        try:
            entries[row.key] = Entry(row, key_ring.open(row.section, row.name, row.value, known))
        except ConfError as error:
            if strict and isinstance(error, SecretsError):
                raise
            log.warning("conf_row_unreadable", row="/".join(row.key), version=row.version, reason=str(error))
            if last:
                entries[row.key] = last
    return entries


def to_text(rows: Sequence[Row]) -> str:
    """The rows as the file keeps them: secrets still encrypted."""
    return json.dumps([asdict(row) | {"updated_at": row.updated_at.isoformat()} for row in rows], indent=1)


def from_text(text: str) -> list[Row]:
    """The rows of the file; raises `ValueError` when it is none of ours."""
    try:
        return [Row(**row | {"updated_at": datetime.fromisoformat(row["updated_at"])}) for row in json.loads(text)]
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a snapshot of core_conf: {error}") from None
