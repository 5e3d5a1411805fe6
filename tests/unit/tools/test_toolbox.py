"""The tools that leave a call as it is."""

from functools import partial

import pytest

from app.call.tools.tool_calls import Asked
from app.conf.models import OptOutTool
from app.errors import ToolError
from app.outbound.opting_out import OptedOut
from app.tools.opt_out import opt_out
from app.tools.toolbox import Toolbox


async def test_a_caller_who_opts_out_is_kept_and_the_model_told():
    kept: list[OptedOut] = []

    async def keep(wish: OptedOut) -> None:
        kept.append(wish)

    def box(number: str) -> Toolbox:
        wish = OptedOut(number=number, agent="default", call_id="1")
        return Toolbox({OptOutTool: partial(opt_out, wish, keep)})

    asked = Asked("call_1", OptOutTool(type="opt_out"), {})
    said = await box("+15550100123")(asked)
    assert "do-not-call list" in said
    assert [wish.number for wish in kept] == ["+15550100123"]
    for hidden in ("anonymous", "+86282452253"):
        with pytest.raises(ToolError, match="hidden"):
            await box(hidden)(asked)


async def test_a_tool_that_nobody_can_run_here_is_an_answer():
    with pytest.raises(ToolError, match="cannot be used"):
        await Toolbox({})(Asked("call_1", OptOutTool(type="opt_out"), {}))
