"""A typed Python function is a tool."""

import asyncio
import functools
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Literal

import pytest
import structlog
from pydantic import BaseModel, Field

from app.errors import ToolError
from app.tools.python import ToolContext
from app.tools.python.function import PythonFunction
from app.tools.python.signature import UnusableFunction
from app.tools.python.threads import Threads

CALL = ToolContext(call_id="call_1", caller="+15550100123", called="+15550100100", agent="default")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Guest(BaseModel):
    name: str


@dataclass
class Booking:
    day: date
    guests: int


def book(
    day: date,
    guests: Annotated[int, Field(ge=1, le=12, description="How many.")],
    note: Annotated[str, "What else matters."] = "",
    size: Size | None = None,
    kind: Literal["inside", "outside"] = "inside",
) -> Booking:
    """Book a table.

    Ask for the day first.
    """
    return Booking(day, guests)


async def run(function, **arguments) -> str:
    return await PythonFunction(function, "here")(CALL, arguments)


def test_the_signature_becomes_the_arguments_schema_and_the_docstring_the_description():
    known = PythonFunction(book, "here").known
    assert known.description == "Book a table.\n\nAsk for the day first."
    schema = known.parameters
    assert (schema["type"], schema["additionalProperties"], schema["required"]) == ("object", False, ["day", "guests"])
    assert schema["properties"]["day"] == {"type": "string", "format": "date"}
    assert schema["properties"]["guests"] == {
        "type": "integer", "minimum": 1, "maximum": 12, "description": "How many.",
    }  # fmt: skip
    assert schema["properties"]["note"] == {"type": "string", "default": "", "description": "What else matters."}
    assert schema["properties"]["kind"]["enum"] == ["inside", "outside"]
    assert "title" not in str(schema)


def test_a_function_without_parameters_takes_an_empty_object():
    def now() -> str:
        return "noon"

    schema = PythonFunction(now, "here").known.parameters
    assert schema == {"type": "object", "properties": {}, "additionalProperties": False}


async def test_arguments_come_in_the_functions_own_types_and_its_result_as_json():
    assert await run(book, day="2026-12-24", guests=4) == '{"day":"2026-12-24","guests":4}'


async def test_arguments_that_the_types_refuse_are_told_by_their_names():
    with pytest.raises(ToolError, match=r"day: .*date"):
        await run(book, day="soon", guests=4)


async def test_models_enums_and_names_that_models_have_themselves_work():
    def greet(guest: Guest, size: Size = Size.SMALL, json: str = "j", copy: int = 1, model_config: str = "m") -> str:
        assert isinstance(guest, Guest)
        return f"{guest.name} {size.name} {json} {copy} {model_config}"

    assert await run(greet, guest={"name": "Ann"}, size="large", json="x") == "Ann LARGE x 1 m"


async def test_the_call_is_given_to_a_function_that_asks_for_it_and_the_model_never_hears_of_it():
    def who(call: ToolContext, greeting: str = "Hi") -> str:
        return f"{greeting} {call.caller} {call.called} {call.agent} {call.call_id}"

    assert "call" not in PythonFunction(who, "here").known.parameters["properties"]
    assert await run(who) == "Hi +15550100123 +15550100100 default call_1"


async def test_an_async_function_runs_in_the_loop_and_any_other_in_a_thread_with_the_calls_log_context():
    async def here() -> str:
        return threading.current_thread().name

    def there() -> list[str]:
        return [threading.current_thread().name, structlog.contextvars.get_contextvars()["call"]]

    assert await run(here) == threading.current_thread().name
    with structlog.contextvars.bound_contextvars(call="CA1"):
        assert await run(there) == '["tool there","CA1"]'


async def test_a_wrapped_async_function_works_as_well():
    async def slow() -> str:
        return "done"

    @functools.wraps(slow)
    def wrapped() -> object:
        return slow()

    assert await run(wrapped) == "done"


async def test_a_function_that_returns_nothing_is_done():
    def nothing() -> None: ...

    assert await run(nothing) == "Done."


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_tool_that_exits_fails_alone(kind):
    def leave() -> str:
        sys.exit(3)

    async def leave_too() -> str:
        sys.exit(3)

    with pytest.raises(RuntimeError, match="SystemExit"):
        await run(leave if kind == "sync" else leave_too)


async def test_what_a_function_raises_is_raised_and_its_own_words_for_the_model_as_well():
    def breaks() -> str:
        raise KeyError("x")

    def refuses() -> str:
        raise ToolError("No table is free.")

    with pytest.raises(KeyError):
        await run(breaks)
    with pytest.raises(ToolError, match="No table is free"):
        await run(refuses)


async def test_a_function_that_hangs_in_its_thread_blocks_no_other_and_frees_its_place_when_it_ends():
    free, threads = threading.Event(), Threads("hangs", most=2)

    def hang() -> str:
        free.wait(10)
        return "late"

    hanging = [asyncio.create_task(threads.run(hang)) for _ in range(2)]
    waiting = asyncio.create_task(threads.run(lambda: "third"))
    assert await Threads("other").run(lambda: "at once") == "at once"
    assert not waiting.done()
    hanging[0].cancel()  # its time is over; the thread goes on
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "tool hangs")
    free.set()
    assert await waiting == "third"
    assert await hanging[1] == "late"


def missing(a): ...


def many(*a: int): ...


def more(**a: int): ...


def positional(a: int, /): ...


def odd(a: threading.Thread): ...


def unknown(a: "Nowhere"): ...  # noqa: F821


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (missing, "a: has no type"),
        (many, "by their names"),
        (more, "by their names"),
        (positional, "by their names"),
        (odd, "no JSON Schema"),
        (unknown, "annotations cannot be read"),
    ],
)
def test_a_function_that_no_model_could_call_is_refused_with_the_reason(function, why):
    with pytest.raises(UnusableFunction, match=why):
        PythonFunction(function, "here")


def test_a_function_that_hangs_does_not_keep_the_process_from_ending():
    code = """
import asyncio, time
from app.tools.python.threads import Threads

async def main():
    try:
        async with asyncio.timeout(0.05):
            await Threads("hangs").run(lambda: time.sleep(60))
    except TimeoutError:
        pass

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


async def test_a_sync_function_whose_iterator_is_empty_fails_at_once():
    def first_free() -> str:
        return next(iter([]))

    async with asyncio.timeout(2):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await run(first_free)


async def test_what_a_sync_function_gives_piece_by_piece_is_made_in_its_thread():
    def rows():
        for _ in range(2):
            yield threading.current_thread().name

    assert await run(rows) == '["tool rows","tool rows"]'


async def test_an_async_generator_is_refused_with_the_reason():
    async def rows():
        yield 1

    with pytest.raises(UnusableFunction, match="yields"):
        PythonFunction(rows, "here")
