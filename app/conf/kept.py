"""What stands for a secret that its writer does not repeat: nothing at all, or its masked form."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from app.conf.models import Conf
from app.conf.secrets import MASK, as_is, mask, plain
from app.errors import ConfInvalid


def keep_absent(given: Mapping[str, Any], stored: BaseModel) -> dict[str, Any]:
    """The given fields, and the secrets we hold for those that were left out (null takes one away)."""
    kept = keep_in_lists(given, stored)
    for name in type(stored).model_fields:
        value = getattr(stored, name)
        if name not in kept and _is_secret(value):
            kept[name] = _revealed(value)
        elif isinstance(value, BaseModel) and isinstance(nested := kept.get(name), dict):
            kept[name] = keep_absent(nested, value)
    return kept


def keep_in_lists(given: Mapping[str, Any], stored: BaseModel) -> dict[str, Any]:
    """The same for the items of lists alone, which no patch merges: those of the same type and name (tools)."""
    kept = dict(given)
    for name in type(stored).model_fields:
        held = getattr(stored, name)
        if isinstance(held, list) and isinstance(items := kept.get(name), list):
            kept[name] = [_kept(item, held) for item in items]
    return kept


def unmask(given: Conf, stored: Conf | None) -> dict[str, Any]:
    """The given fields, where a secret in its masked form, as we show it, is the one we hold."""
    held: dict[str, str] = {}
    if stored is not None:
        plain(stored, held.setdefault, only_set=True)

    def reveal(path: str, secret: str) -> str:
        if not secret.startswith(MASK):
            return secret
        field_name = path.partition(".")[0]
        own = [held[path]] if path in held else []
        others = [value for at, value in held.items() if at.partition(".")[0] == field_name]  # a list may be reordered
        for candidate in own + others:
            if mask(candidate) == secret:
                return candidate
        raise ConfInvalid(f"{path}: this is the masked form of a secret that is not the stored one; give it in full")

    whole: dict[str, Any] = plain(given, reveal, only_set=True)
    return whole


def _kept(item: Any, held: list[Any]) -> Any:
    if not isinstance(item, dict):
        return item
    own = [each for each in held if isinstance(each, BaseModel) and _identity(_revealed(each)) == _identity(item)]
    return keep_absent(item, own[0]) if own else item


def _identity(item: Mapping[str, Any]) -> tuple[Any, Any]:
    return item.get("type"), item.get("name", item.get("server_label"))


def _is_secret(value: object) -> bool:
    match value:
        case list():
            parts = value
        case dict():
            parts = [*value.values()]
        case _:
            parts = [value]
    return bool(parts) and all(isinstance(part, SecretStr) for part in parts)


def _revealed(value: Any) -> Any:
    return plain(value, as_is, only_set=True)
