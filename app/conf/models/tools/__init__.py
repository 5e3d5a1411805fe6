"""What an agent may do besides talking."""

from typing import Annotated

from pydantic import Field

from app.conf.models.tools.base import TimedTool, WorkingTool
from app.conf.models.tools.builtin import (
    CollectDigitsTool,
    CurrentTimeTool,
    Destination,
    EndCallTool,
    LookupTool,
    OptOutTool,
    QueryKnowledgeTool,
    SendDtmfTool,
    SendSmsTool,
    StopRecordingTool,
    SwitchAgentTool,
    TakeMessageTool,
    TransferCallTool,
)
from app.conf.models.tools.choice import FunctionChoice, McpChoice, ToolChoice
from app.conf.models.tools.mcp import McpApproval, McpTool, McpToolFilter
from app.conf.models.tools.own_code import HttpTool, OutputMap
from app.conf.models.tools.python import PythonTool

__all__ = [
    "CollectDigitsTool",
    "CurrentTimeTool",
    "Destination",
    "EndCallTool",
    "FunctionChoice",
    "FunctionTool",
    "HttpTool",
    "LookupTool",
    "McpApproval",
    "McpChoice",
    "McpTool",
    "McpToolFilter",
    "OptOutTool",
    "OutputMap",
    "PythonTool",
    "QueryKnowledgeTool",
    "SendDtmfTool",
    "SendSmsTool",
    "StopRecordingTool",
    "SwitchAgentTool",
    "TakeMessageTool",
    "TimedTool",
    "ToolChoice",
    "ToolConf",
    "TransferCallTool",
    "WorkingTool",
]

_Configured = (
    CollectDigitsTool
    | CurrentTimeTool
    | EndCallTool
    | LookupTool
    | HttpTool
    | OptOutTool
    | PythonTool
    | QueryKnowledgeTool
    | SendDtmfTool
    | SendSmsTool
    | SwitchAgentTool
    | TakeMessageTool
    | TransferCallTool
)
FunctionTool = _Configured | StopRecordingTool
"""A tool that we run ourselves."""
ToolConf = Annotated[_Configured | McpTool, Field(discriminator="type")]
"""A tool as an operator writes it down."""
