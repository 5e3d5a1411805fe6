"""An agent's tools always have an answer."""

import asyncio
import json
import time

import pytest

from app.call.tools.confirming import ASK_FIRST, Confirming
from app.call.tools.tool_calls import MAX_OUTPUT_BYTES, MOST_CALLS, ToolCalls
from app.conf.models import EndCallTool, HttpTool, LookupTool, OptOutTool
from app.errors import ToolError
from app.realtime.events import ToolCall
from app.tools.toolbox import Toolbox

TABLES = LookupTool(
    type="lookup", name="lookup_table", description="Free tables", key_name="evening",
    entries={"Tonight": "at six", "long": "x" * 20_000, "odd": "a\x00b\x1bc"},
)  # fmt: skip
tools = ToolCalls([TABLES, EndCallTool(type="end_call")], own={}, others=Toolbox({}), deadline_s=1)


OWN = HttpTool(type="http", name="own", description="x", url="https://example.com/x")


def having(handler, tool=OWN, **options) -> ToolCalls:
    """A call with one tool that does that."""
    return ToolCalls([tool], own={}, others=handler, deadline_s=5, **options)


def says(text: str):
    async def handler(_asked) -> str:
        return text

    return handler


def raises(error: BaseException):
    async def handler(_asked) -> str:
        raise error

    return handler


def call(arguments: str, name: str = "lookup_table") -> ToolCall:
    return ToolCall("call_1", name, arguments)


async def test_a_lookup_finds_its_entry_however_it_is_spelled():
    assert await tools.run(call('{"evening": " tonight "}')) == "at six"


@pytest.mark.parametrize(
    ("arguments", "name", "told"),
    [
        ("{}", "no_such_tool", "no tool 'no_such_tool'"),
        ('{"evening": "ton', "lookup_table", "not a JSON object"),
        ("[" * 100_000, "lookup_table", "not a JSON object"),
        ("[1]", "lookup_table", "not a JSON object"),
        ("", "lookup_table", "'evening' is a required property"),
        ('{"evening": 5}', "lookup_table", "is not of type 'string'"),
        ('{"evening": "tonight", "x": 1}', "lookup_table", "Additional properties"),
        ('{"evening": "never"}', "lookup_table", "There are: Tonight"),
        ("{}", "end_call", "cannot be used"),
    ],
)
async def test_what_cannot_be_done_is_told_to_the_model(arguments, name, told):
    with pytest.raises(ToolError, match=told):
        await tools.run(call(arguments, name))


async def test_output_is_cut_to_what_a_model_should_read():
    output = await tools.run(call('{"evening": "long"}'))
    assert len(output) == MAX_OUTPUT_BYTES
    assert output.endswith("[cut: too long]")


async def test_a_tool_that_says_a_hundred_million_letters_holds_up_no_call():
    house = having(says("x" * 100_000_000))
    began_s = time.process_time()
    output = await house.run(call("{}", "own"))
    assert time.process_time() - began_s < 0.5
    assert len(output) == MAX_OUTPUT_BYTES
    unseen = await having(says("\x00" * 200_000)).run(call("{}", "own"))
    assert unseen == " [cut: too long]"


async def test_output_of_wide_letters_is_cut_between_two_of_them():
    output = await having(says("😀" * 20_000)).run(call("{}", "own"))
    assert MAX_OUTPUT_BYTES - 4 < len(output.encode()) <= MAX_OUTPUT_BYTES
    assert output.endswith("😀 [cut: too long]")


async def test_control_characters_never_reach_the_model():
    assert await tools.run(call('{"evening": "odd"}')) == "abc"


def test_the_tools_that_hang_up_are_known_by_their_names():
    assert tools.hang_up_tools == {"end_call"}


async def test_s19_letters_that_nobody_sees_never_reach_the_model():
    house = having(says("pay \U000e0049\U000e0067 now\u202e\u200b\x9b\ud800!"))
    assert await house.run(call("{}", "own")) == "pay  now?!"


async def test_a_schema_that_refers_to_nowhere_is_a_failure_of_the_tool_and_fetches_nothing():
    refers = HttpTool.model_construct(
        name="own", description="x", parameters={"type": "object", "$ref": "http://127.0.0.1:9/schema"}
    )
    with pytest.raises(ToolError, match="The tool failed"):
        await having(says("x"), refers).run(call("{}", "own"))


async def test_r3_b3_a_tool_that_raises_is_told_as_failed_and_nothing_of_the_reason():
    with pytest.raises(ToolError, match=r"^The tool failed\.$"):
        await having(raises(ValueError("the password is x"))).run(call("{}", "own"))


async def test_r3_b3_a_tool_that_cancels_itself_is_told_as_failed():
    with pytest.raises(ToolError, match="The tool failed"):
        await having(raises(asyncio.CancelledError())).run(call("{}", "own"))


async def test_what_a_tool_says_went_wrong_is_presentable_as_well():
    with pytest.raises(ToolError) as told:
        await having(raises(ToolError("\x1b" + "x" * 100_000))).run(call("{}", "own"))
    assert len(str(told.value)) == MAX_OUTPUT_BYTES


async def test_arguments_that_do_not_fit_are_not_repeated_at_length():
    with pytest.raises(ToolError) as told:
        await tools.run(call(json.dumps({"evening": ["x" * 50_000]})))
    assert len(str(told.value)) < 600


async def test_f32_a_tool_that_hangs_is_stopped_at_its_own_deadline_and_others_go_on():
    hangs = OWN.model_copy(update={"deadline_seconds": 0.01})

    async def forever(_asked) -> str:
        return await asyncio.Event().wait() and ""

    with pytest.raises(ToolError, match="took too long"):
        await having(forever, hangs).run(call("{}", "own"))


async def test_s20_three_tools_run_at_once_and_the_next_waits_for_a_place():
    begun: list[str] = []
    free = asyncio.Event()

    async def wait(asked) -> str:
        begun.append(asked.call_id)
        await free.wait()
        return asked.call_id

    house = having(wait)
    running = [asyncio.create_task(house.run(ToolCall(f"call_{number}", "own", "{}"))) for number in range(5)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert begun == ["call_0", "call_1", "call_2"]
    free.set()
    assert await asyncio.gather(*running) == [f"call_{number}" for number in range(5)]


async def test_s20_after_fifty_calls_the_model_has_to_do_without():
    house = having(says("x"))
    for _ in range(MOST_CALLS):
        await house.run(call("{}", "own"))
    with pytest.raises(ToolError, match="too often"):
        await house.run(call("{}", "own"))


async def test_s20_who_wants_no_more_calls_is_heard_after_fifty_too():
    house = having(says("x"), OptOutTool(type="opt_out"))
    for _ in range(MOST_CALLS + 1):
        assert await house.run(call("{}", "opt_out")) == "x"


async def test_s19_what_cannot_be_undone_waits_until_the_caller_was_asked():
    confirming = Confirming()
    house = having(says("done"), OWN.model_copy(update={"confirm": True}), confirming=confirming)
    assert await house.run(call("{}", "own")) == ASK_FIRST
    assert await house.run(call("{}", "own")) == ASK_FIRST
    confirming.on_caller_turn()
    assert await house.run(call("{}", "own")) == "done"
