"""The tools of a call, with what the process has for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from app.call.hidden_numbers import shown
from app.call.tools.digits import CollectedDigits
from app.call.tools.tool_calls import Handler
from app.call.tools.tool_tasks import ToolTasks
from app.conf.models import FunctionTool, HttpTool, OptOutTool, PythonTool
from app.outbound.opting_out import OptedOut
from app.tools.http.run import CallContext, HttpTools
from app.tools.opt_out import KeepOptOut, opt_out
from app.tools.python.context import ToolContext
from app.tools.python.load import PythonFunctions
from app.tools.python.run import run_python
from app.tools.toolbox import Toolbox
from app.web.built_in import BuiltIn
from app.web.deps import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTools:
    """Makes each call's tools."""

    opted_out: KeepOptOut
    built_in: BuiltIn
    same_for_all: Mapping[type[FunctionTool], Handler]
    """Handlers that need not know the call."""
    http: HttpTools
    functions: PythonFunctions
    """The operator's own."""
    tasks: ToolTasks
    """Those of all calls; what shall finish after a call does so there."""

    def of(self, arrival: Arrival, digits: CollectedDigits, note: Callable[..., None]) -> Toolbox:
        """The tools of that call, which has these digits; `note` writes in its journal."""
        wish = OptedOut(number=arrival.party, agent=arrival.agent_name, call_id=arrival.call_id)
        return Toolbox(
            {
                OptOutTool: partial(opt_out, wish, self.opted_out),
                HttpTool: digits.guard(self.http.handler(call_context(arrival, digits))),
                PythonTool: partial(run_python, self.functions, tool_context(arrival)),
                **self.built_in.handlers(arrival, note),
                **self.same_for_all,
            }
        )


def call_context(arrival: Arrival, digits: CollectedDigits) -> CallContext:
    """What web tools are told of the call."""
    return CallContext(
        id=arrival.call_id,
        caller=shown(arrival.from_number),
        called=arrival.to_number,
        agent=arrival.agent_name,
        digits=digits,
    )


def tool_context(arrival: Arrival) -> ToolContext:
    """What Python tools are told of the call."""
    return ToolContext(
        call_id=arrival.call_id,
        caller=shown(arrival.from_number),
        called=arrival.to_number,
        agent=arrival.agent_name,
    )
