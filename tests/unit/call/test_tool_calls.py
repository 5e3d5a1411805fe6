"""An agent's tools always have an answer."""

import pytest

from app.call.tool_calls import MAX_OUTPUT_BYTES, ToolCalls
from app.conf.models import EndCallTool, LookupTool
from app.errors import ToolError
from app.realtime.events import ToolCall
from app.tools.toolbox import Toolbox

TABLES = LookupTool(
    type="lookup", name="lookup_table", description="Free tables", key_name="evening",
    entries={"Tonight": "at six", "long": "x" * 20_000, "odd": "a\x00b\x1bc"},
)  # fmt: skip
tools = ToolCalls([TABLES, EndCallTool(type="end_call")], own={}, others=Toolbox({}), deadline_s=1)


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


async def test_control_characters_never_reach_the_model():
    assert await tools.run(call('{"evening": "odd"}')) == "abc"


def test_the_tools_that_hang_up_are_known_by_their_names():
    assert tools.hang_up_tools == {"end_call"}
