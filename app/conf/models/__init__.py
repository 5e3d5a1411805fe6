"""What an operator sets: one pydantic model for each section of `core_conf`.

Rows are validated with a `Known` as context (what this build can do), so that this room needs no provider.
"""

from app.conf.models.accounts import NumberConf, OpenAICoreConf, TwilioCoreConf
from app.conf.models.agent import AgentConf, Fallback, RetentionRatio, StoredPrompt, Tracing
from app.conf.models.base import BY_SHAPE, DEFAULT, E164, Conf, RowName, e164
from app.conf.models.budget import BudgetConf
from app.conf.models.colleagues import absent_colleagues
from app.conf.models.filling import built_in, defaults, fill, spoken_fallback, zone_of
from app.conf.models.hold import HoldConf
from app.conf.models.hours import OpeningHours, is_open
from app.conf.models.keypad import KeyAction, KeyEnds, KeypadConf, KeySwitches, KeyTells, KeyTransfers
from app.conf.models.known import Finding, Known, KnownFunction, Modernised, ProviderRules, Risk
from app.conf.models.limits import LimitsConf
from app.conf.models.machines import MachinePolicy, VoicemailConf
from app.conf.models.outbound import OutboundConf
from app.conf.models.prices import PricesConf, TelephonyPrices, TokenPrices, TranscriptionTokenPrices
from app.conf.models.recording import RecordingPolicy, RecordingSource, RecordingTranscription
from app.conf.models.redaction import RedactionConf
from app.conf.models.rows import SECTIONS, SINGLE, explain, parse
from app.conf.models.silence import SilenceConf
from app.conf.models.speech import (
    CustomVoice,
    NoiseReduction,
    NoTurnDetection,
    SemanticVad,
    ServerVad,
    Transcription,
    TurnDetection,
)
from app.conf.models.spoken import phrases
from app.conf.models.territories import language_of
from app.conf.models.tools import (
    CollectDigitsTool,
    CurrentTimeTool,
    Destination,
    EndCallTool,
    FunctionTool,
    HttpTool,
    LookupTool,
    McpTool,
    OptOutTool,
    OutputMap,
    PythonTool,
    QueryKnowledgeTool,
    SendDtmfTool,
    SendSmsTool,
    StopRecordingTool,
    SwitchAgentTool,
    TakeMessageTool,
    TimedTool,
    ToolConf,
    TransferCallTool,
    WorkingTool,
)
from app.conf.models.unfilled import unfilled, unfilled_by_number
from app.conf.models.variables import MOST_VARIABLES, as_text, clean, filled, is_name
from app.conf.models.webhooks import MessageKind, PrecallConf, WebhookConf, new_webhook_secret

__all__ = [
    "BY_SHAPE",
    "DEFAULT",
    "E164",
    "MOST_VARIABLES",
    "SECTIONS",
    "SINGLE",
    "AgentConf",
    "BudgetConf",
    "CollectDigitsTool",
    "Conf",
    "CurrentTimeTool",
    "CustomVoice",
    "Destination",
    "EndCallTool",
    "Fallback",
    "Finding",
    "FunctionTool",
    "HoldConf",
    "HttpTool",
    "KeyAction",
    "KeyEnds",
    "KeySwitches",
    "KeyTells",
    "KeyTransfers",
    "KeypadConf",
    "Known",
    "KnownFunction",
    "LimitsConf",
    "LookupTool",
    "MachinePolicy",
    "McpTool",
    "MessageKind",
    "Modernised",
    "NoTurnDetection",
    "NoiseReduction",
    "NumberConf",
    "OpenAICoreConf",
    "OpeningHours",
    "OptOutTool",
    "OutboundConf",
    "OutputMap",
    "PrecallConf",
    "PricesConf",
    "ProviderRules",
    "PythonTool",
    "QueryKnowledgeTool",
    "RecordingPolicy",
    "RecordingSource",
    "RecordingTranscription",
    "RedactionConf",
    "RetentionRatio",
    "Risk",
    "RowName",
    "SemanticVad",
    "SendDtmfTool",
    "SendSmsTool",
    "ServerVad",
    "SilenceConf",
    "StopRecordingTool",
    "StoredPrompt",
    "SwitchAgentTool",
    "TakeMessageTool",
    "TelephonyPrices",
    "TimedTool",
    "TokenPrices",
    "ToolConf",
    "Tracing",
    "Transcription",
    "TranscriptionTokenPrices",
    "TransferCallTool",
    "TurnDetection",
    "TwilioCoreConf",
    "VoicemailConf",
    "WebhookConf",
    "WorkingTool",
    "absent_colleagues",
    "as_text",
    "built_in",
    "clean",
    "defaults",
    "e164",
    "explain",
    "fill",
    "filled",
    "is_name",
    "is_open",
    "language_of",
    "new_webhook_secret",
    "parse",
    "phrases",
    "spoken_fallback",
    "unfilled",
    "unfilled_by_number",
    "zone_of",
]
