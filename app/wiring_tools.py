"""What a server opens for the tools of its calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from app.call.tools.tool_tasks import ToolTasks
from app.conf.models import QueryKnowledgeTool
from app.conf.opening import Opened
from app.egress.clients import GuardedClients
from app.timing import Deadlines
from app.tools.http.run import LONGEST_S, HttpTools
from app.tools.knowledge import query_knowledge
from app.tools.opt_out import KeepOptOut
from app.tools.python.load import PythonFunctions
from app.web.built_in import BuiltIn
from app.web.call_tools import CallTools
from app.wiring_twilio import TwilioAccess


@asynccontextmanager
async def open_tools(
    opened: Opened,
    twilio: TwilioAccess,
    functions: PythonFunctions,
    *,
    opted_out: KeepOptOut,
    deadlines: Deadlines,
) -> AsyncIterator[CallTools]:
    """The tools, for as long as the block lasts."""
    async with GuardedClients(timeout_s=LONGEST_S) as clients, ToolTasks() as tasks:
        yield CallTools(
            opted_out=opted_out,
            built_in=BuiltIn(number=opened.store.number, send_sms=twilio.send_sms),
            same_for_all={QueryKnowledgeTool: partial(query_knowledge, opened.engine, tasks)},
            http=HttpTools(clients, deadlines.tool_s),
            functions=functions,
            tasks=tasks,
        )
