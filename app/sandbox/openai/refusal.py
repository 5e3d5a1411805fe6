"""What the sandbox answers to a client event it does not accept."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.errors import ParleyError

_CODES = {"extra_forbidden": "unknown_parameter", "missing": "missing_required_parameter"}
_CODES |= {"union_tag_not_found": "missing_required_parameter", "string_too_long": "string_above_max_length"}


class Refusal(ParleyError):
    """A client event was refused; the socket stays open."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def refusal_of(error: ValidationError, given: object) -> Refusal:
    """The first thing wrong with what was given, in the API's own words."""
    first = error.errors(include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    place = list(first["loc"])
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        place.append(str(context["discriminator"]).strip("'"))
    absent = kind in ("missing", "union_tag_not_found")
    param = _param(place, given, absent=absent)
    if kind == "union_tag_not_found" and not isinstance(_value_at(place[:-1], given), Mapping):
        return Refusal("invalid_type", f"Invalid type for '{param}': expected an object.", param)
    match _CODES.get(kind):
        case "unknown_parameter":
            return Refusal("unknown_parameter", f"Unknown parameter: '{param}'.", param)
        case "missing_required_parameter":
            return Refusal("missing_required_parameter", f"Missing required parameter: '{param}'.", param)
        case "string_above_max_length":
            most = context["max_length"]
            message = f"Invalid '{param}': string too long. Expected a string with maximum length {most}."
            return Refusal("string_above_max_length", message, param)
    if kind.endswith("_type"):
        return Refusal("invalid_type", f"Invalid type for '{param}': {first['msg']}.", param)
    return Refusal("invalid_value", f"Invalid value for '{param}': {first['msg']}.", param)


def _param(place: Sequence[str | int], given: object, *, absent: bool) -> str:
    """The field's path, like `session.tools[0].name`, without the tags that pydantic puts in for unions."""
    keys = [key for key, _ in _descent(place, given)]
    if absent:
        keys.append(place[-1])
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _value_at(place: Sequence[str | int], given: object) -> object:
    return next((value for _, value in reversed(list(_descent(place, given)))), given)


def _descent(place: Sequence[str | int], given: object) -> Iterator[tuple[str | int, Any]]:
    """Each key of the path that is really in what was given, with the value found there."""
    tagged = False
    for position, key in enumerate(place):
        tag = isinstance(given, Mapping) and key in (given.get("type"), given.get("role"))
        if tag and not tagged and position < len(place) - 1:  # a tag is always followed by the field it led to
            tagged = True
        elif (isinstance(given, Mapping) and key in given) or (isinstance(given, list) and isinstance(key, int)):
            given, tagged = given[key], False  # type: ignore[index]  # a mapping or a list, as just seen
            yield key, given


def error_event(refusal: Refusal, client_event_id: str | None) -> dict[str, Any]:
    """The `error` event that tells the client."""
    error = {"type": "invalid_request_error", "code": refusal.code, "message": str(refusal), "param": refusal.param}
    return {"type": "error", "error": error | {"event_id": client_event_id}}


def error_body(refusal: Refusal) -> dict[str, Any]:
    """The `error` of an HTTP answer that tells the client."""
    error: dict[str, Any] = error_event(refusal, None)["error"]
    return {name: error[name] for name in ("message", "type", "param", "code")}
