"""An agent's tools always have an answer."""

from functools import partial

import pytest

from app.conf.models import EndCallTool, LookupTool, OptOutTool, StopRecordingTool
from app.errors import ToolError
from app.outbound.opting_out import OptedOut
from app.realtime.events import ToolCall
from app.tools.opt_out import opt_out
from app.tools.toolbox import MAX_OUTPUT_BYTES, Toolbox

TABLES = LookupTool(
    type="lookup", name="lookup_table", description="Free tables", key_name="evening",
    entries={"Tonight": "at six", "long": "x" * 20_000, "odd": "a\x00b\x1bc"},
)  # fmt: skip
toolbox = Toolbox([TABLES, EndCallTool(type="end_call")], deadline_s=1)


def call(arguments: str, name: str = "lookup_table") -> ToolCall:
    return ToolCall("call_1", name, arguments)


async def test_a_lookup_finds_its_entry_however_it_is_spelled():
    assert await toolbox.run(call('{"evening": " tonight "}')) == "at six"


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
        ("{}", "end_call", "cannot be ended"),
    ],
)
async def test_what_cannot_be_done_is_told_to_the_model(arguments, name, told):
    with pytest.raises(ToolError, match=told):
        await toolbox.run(call(arguments, name))


async def test_output_is_cut_to_what_a_model_should_read():
    output = await toolbox.run(call('{"evening": "long"}'))
    assert len(output) == MAX_OUTPUT_BYTES
    assert output.endswith("[cut: too long]")


async def test_control_characters_never_reach_the_model():
    assert await toolbox.run(call('{"evening": "odd"}')) == "abc"


def test_the_tools_that_hang_up_are_known_by_their_names():
    assert toolbox.hang_up_tools == {"end_call"}


def test_the_tool_that_declines_a_recording_is_known_by_its_name():
    assert Toolbox([StopRecordingTool()], deadline_s=1).decline_tools == {"stop_recording"}
    assert toolbox.decline_tools == frozenset()


async def test_a_caller_who_opts_out_is_kept_and_the_model_told():
    kept: list[OptedOut] = []

    async def keep(wish: OptedOut) -> None:
        kept.append(wish)

    def box(number: str) -> Toolbox:
        wish = OptedOut(number=number, agent="default", call_id="1")
        tool = OptOutTool(type="opt_out")
        return Toolbox([tool], deadline_s=1, opt_out=partial(opt_out, wish, keep))

    said = await box("+15550100123").run(ToolCall("call_1", "opt_out", "{}"))
    assert "do-not-call list" in said
    assert [wish.number for wish in kept] == ["+15550100123"]
    with pytest.raises(ToolError, match="hidden"):
        await box("anonymous").run(ToolCall("call_2", "opt_out", "{}"))
