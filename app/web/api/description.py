"""The API's description in OpenAPI: what FastAPI knows of the routes, and what all of them have in common."""

import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

PREFIX = "/api/v1"
PROBLEM = "application/problem+json"
MERGE_PATCH = "application/merge-patch+json"

_ABOUT = """\
Everything an operator does. Send a key with each request, as `Authorization: Bearer parley_…`; each operation names
the scope that its key needs (`write` has `read`, and `admin` has all).

Lists come in pages: ask for the next one with `cursor`, set to the last one's `next_cursor`. Errors are problem
documents (RFC 9457) with a `code` that programs can rely on. What an operator sets is versioned: each write makes a
new version, an `ETag` is a version, and a write with `If-Match` is refused where somebody else was faster."""
_TAGS = {
    "agents": "Who answers: what they are told, how they sound, what they may do.",
    "numbers": "Which agent answers which number, and when.",
    "config": "Access to the services we use. Secrets are write-only: their last four characters are shown.",
    "calls": "Calls that were and calls that go on: what was said and done in them.",
    "outbound": "Calls that we place: ask for one, see the queue, take one out of it.",
    "do-not-call": "Who is never called.",
    "recordings": "The sound of calls, and its words.",
    "knowledge": "Documents that agents look things up in.",
    "keys": "The keys of this API.",
    "audit": "Who changed what.",
    "twilio": "What Twilio asks of us; its requests are signed.",
    "operations": "Is the process well.",
}
_WORDS = {
    400: "The request cannot be read.",
    401: "The key is missing, unknown, expired, or revoked.",
    403: "The key has not the scope that this needs.",
    404: "There is no such thing.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Something in the request is not what it should be; `errors` say what.",
    429: "Too many wrong keys from this address; `Retry-After` says when it is heard again.",
    503: "The database is away; `Retry-After` says when to try again. Calls go on.",
}
_SIGNED = {
    "403": "Nobody we know has signed this.",
    "503": "There is no auth token to check a signature with.",
}
_making = threading.Lock()


class FaultModel(BaseModel):
    """One thing that is wrong with a request."""

    path: Annotated[str, Field(description="Where: the field's path in the body, or `query.limit`.")]
    message: Annotated[str, Field(description="What, in words.")]
    code: Annotated[str, Field(description="What, in one word.")]


class ProblemModel(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: Annotated[str, Field(examples=["about:blank"])]
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    code: Annotated[str, Field(description="For programs; it stays what it is.", examples=["not_found"])]
    detail: Annotated[str, Field(description="For people.", examples=["there is no agent/sales"])]
    errors: Annotated[list[FaultModel], Field(description="Field by field, where that is known.")]


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once and kept with the app. It takes a quarter of a second: not for the event loop."""
    with _making:
        kept: dict[str, Any] | None = getattr(app.state, "description", None)
        if kept is None:
            app.state.description = kept = _described(app.openapi())
        return kept


def _described(openapi: dict[str, Any]) -> dict[str, Any]:
    openapi["info"]["description"] = _ABOUT
    openapi["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
    schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None), schemas.pop("ValidationError", None)
    schemas["Problem"] = ProblemModel.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {name.removesuffix("Model"): schema for name, schema in schemas["Problem"].pop("$defs").items()}
    schemas["Problem"]["title"], schemas["Fault"]["title"] = "Problem", "Fault"
    schemas["Problem"]["properties"]["errors"]["items"] = {"$ref": "#/components/schemas/Fault"}
    _show_masks(schemas)
    _tell_defaults(schemas)
    for path, method, operation in _operations(openapi):
        _only_what_is_sent(operation)
        if path.startswith(PREFIX):
            _add_common(path, method, operation)
        elif "twilio" in operation.get("tags", ()):
            operation["responses"] |= {status: {"description": words} for status, words in _SIGNED.items()}
        for status, response in operation["responses"].items():
            if int(status) >= HTTPStatus.BAD_REQUEST and PROBLEM not in response.get("content", {}):
                _as_problem(response, ours=path.startswith(PREFIX))
    return openapi


def _operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _only_what_is_sent(operation: dict[str, Any]) -> None:
    """A parameter that is not sent is no null: in an address or a header that would be a word of four letters."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            parameter["schema"] = kinds[0] | schema


def _add_common(path: str, method: str, operation: dict[str, Any]) -> None:
    """What may become of every request of its kind."""
    takes_body = "requestBody" in operation
    operation["summary"] = _in_words(operation["operationId"])
    statuses = [400, 401, 403, 422, 429, 503] + [404] * ("{" in path) + [413, 415] * takes_body
    for status in statuses:
        response = operation["responses"].setdefault(str(status), {})
        if response.get("description", "Validation Error") == "Validation Error":
            response["description"] = _WORDS[status]
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if method == "patch" and takes_body:
        content = operation["requestBody"]["content"]
        content[MERGE_PATCH] = content["application/json"]


def _in_words(operation_id: str) -> str:
    """Like `Get OpenAI config`."""
    words = operation_id.replace("_", " ").replace("openai", "OpenAI").replace("twilio", "Twilio")
    return words[0].upper() + words[1:]


def _as_problem(response: dict[str, Any], *, ours: bool) -> None:
    shown = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    if ours or shown.endswith("/HTTPValidationError"):
        response["content"] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _show_masks(schema: Any) -> None:
    """Secrets are shown too, if masked: a client may not take them for fields that never come."""
    match schema:
        case dict():
            if schema.get("writeOnly") is True:
                del schema["writeOnly"]
                schema.pop("format", None)
            for part in schema.values():
                _show_masks(part)
        case list():
            for part in schema:
                _show_masks(part)


def _tell_defaults(schemas: Any) -> None:
    """A default of no simple type is told in words: makers of clients cannot write it down."""
    match schemas:
        case {"default": (dict() | list()) as default} | {"anyOf": _, "default": (str() | float()) as default}:
            del schemas["default"]
            words = schemas.get("description", "").rstrip()
            shown = json.dumps(default, ensure_ascii=False)
            schemas["description"] = f"{words} Without it: `{shown}`.".strip()
    match schemas:
        case dict():
            for part in schemas.values():
                _tell_defaults(part)
        case list():
            for part in schemas:
                _tell_defaults(part)
