"""Changing a few fields of a row: JSON merge patches (RFC 7396), as far as a row's nulls allow."""

from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel


def merged(target: Any, patch: Any, model: type[BaseModel] | None = None) -> Any:
    """The target with the patch's members in place of its own, objects within objects alike.

    A null takes a member away, so that it goes back to its default; where null is a value of its own (no noise
    reduction), it is set.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        field = model.model_fields.get(name) if model else None
        annotation = field.annotation if field else None
        if value is not None:
            result[name] = merged(result.get(name), value, _model(annotation))
        elif NoneType in get_args(annotation):
            result[name] = None
        else:
            result.pop(name, None)
    return result


def _model(annotation: Any) -> type[BaseModel] | None:
    """The one model that a field holds; unions of several are patched as plain objects."""
    models = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    found = [each for each in models if issubclass(each, BaseModel)]
    return found[0] if len(found) == 1 else None
