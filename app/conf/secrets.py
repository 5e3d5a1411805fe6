"""Secret fields: encrypted before they reach the database, shown as their last four characters."""

import base64
import contextlib
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from app.conf.models import Conf, Known, parse
from app.errors import ConfInvalid, SecretsError

KEY_CHARACTERS = 32
MASK = "****"
SHOWN_FROM_CHARACTERS = 12
"""A shorter secret shows nothing: four characters would be too much of it."""

_FORM = "v1"
_NONCE_BYTES = 12
_ENCRYPTED = re.compile(rf"{_FORM}:[0-9a-f]{{8}}:[A-Za-z0-9+/=]+")

SecretUse = Callable[[str, str], str]
"""What becomes of a secret, given its field's path."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    cipher: AESGCM = field(repr=False)
    signing: bytes = field(repr=False)


class KeyRing:
    """The process's keys: the first encrypts, all decrypt; an old one stays until nothing needs it any more."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or any(len(key) < KEY_CHARACTERS for key in keys):
            raise SecretsError(f"SECRET_KEY: each key needs at least {KEY_CHARACTERS} characters")
        ring = [
            _Key(
                _stretch(key, "key id", 4).hex(), AESGCM(_stretch(key, "encryption", 32)), _stretch(key, "signing", 32)
            )
            for key in keys
        ]
        self._first = ring[0]
        self._keys = {key.id: key for key in ring}
        self.signing_keys: tuple[bytes, ...] = tuple(key.signing for key in ring)
        """For signatures of our own, such as stream tokens: the first signs, all verify."""

    def encrypt(self, secret: str, *, where: str) -> str:
        """The stored form `v1:<key id>:<base64>`; it opens only at the same place."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._first.cipher.encrypt(nonce, secret.encode(), where.encode())
        return f"{_FORM}:{self._first.id}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, stored: str, *, where: str) -> str:
        """The secret; raises `SecretsError` that says which key is missing."""
        form, _, rest = stored.partition(":")
        key_id, _, body = rest.partition(":")
        if form != _FORM:
            raise SecretsError(f"{where} is not an encrypted value")
        if (key := self._keys.get(key_id)) is None:
            raise SecretsError(
                f"{where} was encrypted with key {key_id}, and SECRET_KEY holds {', '.join(self._keys)}: "
                "add the key it was written with to SECRET_KEY, after a comma"
            )
        try:
            sealed = base64.b64decode(body, validate=True)
            return key.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], where.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretsError(f"{where} was altered since it was encrypted, or belongs to another place") from None

    def seal(self, section: str, name: str, conf: Conf) -> dict[str, Any]:
        """What the database keeps: the fields that were set, secrets encrypted."""

        def encrypt(path: str, secret: str) -> str:
            return self.encrypt(secret, where=_place(section, name, path))

        sealed: dict[str, Any] = plain(conf, encrypt, only_set=True)
        return sealed

    def seal_again(self, section: str, name: str, stored: dict[str, Any], known: Known) -> dict[str, Any]:
        """The stored form with each secret encrypted by the first key; raises `SecretsError` for one we cannot open."""
        secrets_at = _secret_paths(section, name, stored, known)

        def again(value: Any, path: str) -> Any:
            match value:
                case dict():
                    return {key: again(item, _under(path, key)) for key, item in value.items()}
                case list():
                    return [again(item, _under(path, index)) for index, item in enumerate(value)]
                case str() if looks_encrypted(value) and (secrets_at is None or path in secrets_at):
                    if value.startswith(f"{_FORM}:{self._first.id}:"):
                        return value
                    where = _place(section, name, path)
                    return self.encrypt(self.decrypt(value, where=where), where=where)
                case _:
                    return value

        sealed: dict[str, Any] = again(stored, "")
        return sealed

    def open(self, section: str, name: str, stored: dict[str, Any], known: Known) -> Conf:
        """The typed row of what the database keeps."""
        sealed = parse(section, name, stored, known)

        def decrypt(path: str, secret: str) -> str:
            return self.decrypt(secret, where=_place(section, name, path))

        return parse(section, name, plain(sealed, decrypt, only_set=True), known)


def redact(conf: Conf) -> dict[str, Any]:
    """Every field as it takes effect, without its secrets."""
    shown: dict[str, Any] = plain(conf, lambda _, secret: mask(secret), only_set=False)
    return shown


def reveal(conf: Conf) -> dict[str, Any]:
    """The fields that were set, with their secrets: not to be shown or stored."""
    revealed: dict[str, Any] = plain(conf, as_is, only_set=True)
    return revealed


def looks_encrypted(text: str) -> bool:
    """Whether this is a secret in its stored form."""
    return _ENCRYPTED.fullmatch(text) is not None


def mask(secret: str) -> str:
    """Enough of a secret to tell it from another: its last four characters."""
    return MASK + (secret[-4:] if len(secret) >= SHOWN_FROM_CHARACTERS else "")


def as_is(_path: str, secret: str) -> str:
    """The secret itself."""
    return secret


def plain(value: Any, use: SecretUse, path: str = "", *, only_set: bool) -> Any:
    """The value as JSON has it, with what `use` makes of each secret in it."""

    def inner(key: object, item: Any) -> Any:
        return plain(item, use, _under(path, key), only_set=only_set)

    match value:
        case SecretStr():
            return use(path, value.get_secret_value())
        case BaseModel():
            shown = value.model_fields_set if only_set else type(value).model_fields.keys()
            return {name: inner(name, getattr(value, name)) for name in type(value).model_fields if name in shown}
        case dict():
            return {key: inner(key, item) for key, item in value.items()}
        case list():
            return [inner(index, item) for index, item in enumerate(value)]
        case _:
            return to_jsonable_python(value)


def load_key_ring(secret_key: SecretStr | None, data_dir: Path) -> KeyRing:
    """The ring of `SECRET_KEY`'s keys; without it, of one that is made once and kept in the data directory."""
    text = secret_key.get_secret_value() if secret_key else _kept_key(data_dir / "secret_key")
    return KeyRing([key.strip() for key in text.split(",")])


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".secret_key.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)  # whole or not at all, and never over another process's key
    fresh.unlink()
    return path.read_text().strip()


def _secret_paths(section: str, name: str, stored: dict[str, Any], known: Known) -> set[str] | None:
    """Where the row has its secrets; None where only their looks can tell, as it is of another version."""
    found: dict[str, str] = {}
    try:
        plain(parse(section, name, stored, known), found.setdefault, only_set=True)
    except ConfInvalid:
        return None
    return set(found)


def _stretch(key: str, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"parley {purpose}".encode()).derive(key.encode())


def _under(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _place(section: str, name: str, path: str) -> str:
    return f"core_conf:{section}/{name}:{path}"
