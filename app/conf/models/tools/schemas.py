"""The JSON Schema of a tool's arguments, as its operator writes it and as it is used: closed, and sound."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import AfterValidator

from app.conf.models.pointer import NotThere, found

MOST_CHARACTERS = 32_768
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_SINGLE = ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "if", "then", "else",
           "contains", "not", "propertyNames")  # fmt: skip
_LISTS = ("prefixItems", "allOf", "anyOf", "oneOf")
_ALSO_OF_ITSELF = ("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas")
"""What these say is said of the same object, so that only all of them together know its fields."""
_CONDITIONS = ("if", "not", "contains", "propertyNames")
"""To close these would change what they ask."""


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema whose objects take no other fields than they name, unless they say so."""
    shut: dict[str, Any] = _closed(schema)
    return shut


def _closed(schema: Any, *, part: bool = False) -> Any:
    """`part` is a schema that says something of an object which another one closes."""
    if not isinstance(schema, dict):
        return schema
    shut = {name: _inner(name, value) for name, value in schema.items()}
    if part or not _is_of_objects(schema) or {"additionalProperties", "unevaluatedProperties"} & schema.keys():
        return shut
    composed = any(name in schema for name in _ALSO_OF_ITSELF)
    return shut | {"unevaluatedProperties" if composed else "additionalProperties": False}


def _inner(name: str, value: Any) -> Any:
    part = name in {*_ALSO_OF_ITSELF, "$defs", "definitions"}
    if name in _CONDITIONS:
        return value
    if name in _NAMED and isinstance(value, dict):
        return {key: _closed(each, part=part) for key, each in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_closed(each, part=part) for each in value]
    return _closed(value, part=part) if name in _SINGLE else value


def _is_of_objects(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type", [])
    if "object" in ([kind] if isinstance(kind, str) else kind) or "properties" in schema:
        return True
    return "type" not in schema and any(name in schema for name in _ALSO_OF_ITSELF)


def _sound(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "object":
        raise ValueError('the arguments are an object: "type": "object" must be there')
    text = json.dumps(schema)
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a schema has at most {MOST_CHARACTERS} characters")
    if fault := _fault(text):
        raise ValueError(fault)
    return closed(schema)


@lru_cache(maxsize=1024)  # rows are read again at every change of any, and this takes milliseconds
def _fault(text: str) -> str | None:
    """What is wrong with a schema, given as JSON."""
    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
        inside = list(_schemas(schema))
        for each in inside:
            _check_words(each)
            _check_reference(each, schema, inside)
        Draft202012Validator(closed(schema)).is_valid({})
    except SchemaError as error:
        return f"not a JSON Schema (Draft 2020-12): {error.json_path}: {error.message[:200]}"
    except RecursionError:
        return "not a JSON Schema that ends: it refers to itself"
    except ValueError as error:
        return str(error)
    return None


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all in it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in _NAMED:
        for each in schema.get(name, {}).values():
            yield from _schemas(each)
    for name in _SINGLE:
        yield from _schemas(schema.get(name))
    for name in _LISTS:
        for each in schema.get(name, []):
            yield from _schemas(each)


def _check_words(schema: Mapping[str, Any]) -> None:
    if schema.get("$schema", _DIALECT).rstrip("#") != _DIALECT:
        raise ValueError(f"$schema: only {_DIALECT}")
    if refused := {"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"} & schema.keys():
        raise ValueError(f"{min(refused)} is not understood here; $ref with #/… is")
    for pattern in (schema.get("pattern", ""), *schema.get("patternProperties", {})):
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern: {error}") from None


def _check_reference(schema: Mapping[str, Any], root: Any, inside: Sequence[Any]) -> None:
    reference = schema.get("$ref", "#")
    if not reference.startswith("#"):
        raise ValueError("$ref: only into the schema itself (#/$defs/…); nothing is fetched")
    try:
        target = found(root, reference[1:])
    except NotThere:
        target = None
    if not any(target is each for each in inside):
        raise ValueError(f"$ref: there is no schema at {reference}")


ArgumentsSchema = Annotated[dict[str, Any], AfterValidator(_sound)]
"""Objects in it take no other fields than they name, unless they say so."""
