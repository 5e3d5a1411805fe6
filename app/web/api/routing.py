"""How the routes of the API are made: the key comes first, then the shape of the request, then the work."""

import asyncio
import json
import math
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from app.errors import Fault
from app.web.api.auth import identify
from app.web.problems import Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """A route that asks for a key, and refuses what it would not read: other parameters, other kinds of body."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        parameters = {field.alias: field for field in get_flat_params(self.dependant) if _in_query(field)}
        several = {name for name, field in parameters.items() if _takes_several(field)}
        takes_body = self.body_field is not None

        async def checked(request: Request) -> Response:
            await identify(request)
            _check_query(request, frozenset(parameters), several)
            if takes_body:
                await _check_body(request)
            return await handle(request)

        return checked


def api_router(tag: str, prefix: str = "") -> APIRouter:
    """A router of the API; a function's name is its `operationId`."""
    return APIRouter(
        prefix=prefix, tags=[tag], route_class=ApiRoute, generate_unique_id_function=lambda route: route.name
    )


def _in_query(field: Any) -> bool:
    return getattr(getattr(field.field_info, "in_", None), "value", "") == "query"


def _takes_several(field: Any) -> bool:
    return any(word in str(field.field_info.annotation) for word in ("list[", "set[", "frozenset[", "tuple["))


def _check_query(request: Request, known: frozenset[str], several: set[str]) -> None:
    faults = []
    for name in dict.fromkeys(request.query_params):
        values = request.query_params.getlist(name)
        if name not in known:
            there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none"
            faults.append(Fault(f"query.{name}", f"unknown parameter; {there_are}", "unknown_parameter"))
        elif len(values) > 1 and name not in several:
            faults.append(Fault(f"query.{name}", "given more than once", "given_twice"))
        elif any("\0" in value for value in values):
            faults.append(Fault(f"query.{name}", "has a character that cannot be stored", "bad_character"))
    if faults:
        raise Problem(422, "invalid_request", "; ".join(f"{fault.path}: {fault.message}" for fault in faults), faults)


async def _check_body(request: Request) -> None:
    """Only JSON, in UTF-8, of text that can be stored: no NUL, no half of a pair, no number that is none."""
    body = await request.body()
    if not body:
        return
    if not _is_json(request.headers.get("content-type", "")):
        raise Problem(415, "not_json", "Send the body as JSON, with `Content-Type: application/json`.")
    try:
        await asyncio.to_thread(_check_json, body)
    except (ValueError, RecursionError) as error:  # a decoding error is a ValueError, and so is JSON's
        reason = "it is too deep" if isinstance(error, RecursionError) else str(error).partition(" in position")[0]
        raise Problem(400, "invalid_json", f"The body cannot be read as JSON: {reason}.") from None


def _check_json(body: bytes) -> None:
    _check_text(json.loads(body.decode(), parse_constant=_no_number))


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    kind, subtype = message.get_content_maintype(), message.get_content_subtype()
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _check_text(value: object) -> None:
    match value:
        case str():
            if "\0" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value)):
                raise ValueError("a text has a character that cannot be stored, like \\u0000")
        case float():
            if not math.isfinite(value):
                raise ValueError("a number is too large")
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)
        case list():
            for item in value:
                _check_text(item)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
