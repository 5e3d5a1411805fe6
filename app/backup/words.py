"""What people are told of a backup: in the file itself, and on the terminal."""

from app.backup.archive import Manifest

IN_THE_ARCHIVE = (
    "THE KEY RING IS IN THIS FILE (secret_key): whoever has the file can read every secret of the configuration, "
    "the OpenAI keys and Twilio tokens among them. Keep it as you keep those."
)
NOT_IN_THE_ARCHIVE = (
    "THE KEY RING IS NOT IN THIS FILE: it was in the environment, as SECRET_KEY. Keep SECRET_KEY somewhere else, and "
    "safe: without it core_conf cannot be read, and every key and token must be entered again."
)
_README = """\
A backup of Parley {parley}, made {created_at}.

{key_ring}

database/          {tables} tables, {rows} rows, as of one moment (schema {schema}); secrets in them are encrypted
calls/             {calls} calls that were not in the database yet
recordings/        {recordings}
twilio_callbacks/  what Twilio told of recordings, and the database had not heard
manifest.json      every file in here with its size and SHA-256

To restore it: parley restore FILE, with the settings of the new place (DATABASE_URL, DATA_DIR, STORAGE_URL{and_key}).
Names, numbers and words of callers are in here: it is personal data.
"""


def about_keys(manifest: Manifest) -> str:
    """What must be said loudly."""
    return IN_THE_ARCHIVE if manifest.with_key_ring else NOT_IN_THE_ARCHIVE


def readme(manifest: Manifest, *, calls: int, recordings: int) -> str:
    """The text in the archive."""
    missing = f"; {len(manifest.missing)} more were missing in the storage" if manifest.missing else ""
    return _README.format(
        parley=manifest.parley,
        created_at=manifest.created_at,
        key_ring=about_keys(manifest),
        tables=len(manifest.tables),
        rows=sum(table.rows for table in manifest.tables),
        schema=manifest.schema,
        calls=calls,
        recordings=f"{recordings} files{missing}" if manifest.with_recordings else "left out: --no-recordings",
        and_key="" if manifest.with_key_ring else ", SECRET_KEY",
    )
