"""What happened in a call, as its journal keeps it, its listeners hear it and its transcript is told from it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Every kind of event; each fires once for each thing that happened."""

    CALL_STARTED = "call.started"
    CALL_ENDED = "call.ended"
    PRECALL_FAILED = "precall.failed"
    """The pre-call webhook did not tell all that it should: the call goes on without, and `reason` says why."""
    VARIABLES_MISSING = "variables.missing"
    """The agent's variables of these `names` had no value, and are empty."""
    SESSION_READY = "session.ready"
    SESSION_CREATED = "session.created"
    SESSION_STATUS = "session.status"
    SESSION_DEGRADED = "session_degraded"
    """The provider did not grant these `fields` of the agent's configuration; the call goes on without them."""
    SESSION_EXPIRING = "session.expiring"
    SESSION_ROLLED_OVER = "session.rolled_over"
    """A younger session goes on, before its provider ended the old one."""
    MODEL_RECONNECTED = "model_reconnected"
    """The session was lost, and another goes on after `gap_ms`; `reason` says why, `attempt` how many tries it took."""
    SESSION_ERROR = "session.error"
    RATE_LIMITS = "session.rate_limits"
    CALLER_SPEECH_STARTED = "caller.speech_started"
    CALLER_SPEECH_ENDED = "caller.speech_ended"
    CALLER_TRANSCRIPT = "caller.transcript"
    """`text`; `final` when it is whole. Pieces go to listeners only."""
    CALLER_IDLE = "caller.idle"
    """Nobody spoke for long, and the model spoke up."""
    CALLER_ON_HOLD = "caller.on_hold"
    """Something went on being heard, and no words in it: the agent keeps silent."""
    CALLER_BACK = "caller.back"
    """There are words again, and the agent answers."""
    CALLER_SILENT = "caller.silent"
    """The same, and we let it: for the `reprompt`th time since the caller was last heard of."""
    CALLER_TYPING = "caller.typing"
    """A key was pressed; which one is told, if ever, when it is settled what was typed. For listeners only."""
    CALLER_DTMF = "caller.dtmf"
    """A key, once it is settled that it may be known; `at_ms` is when it was pressed."""
    KEY_ACTION = "key.action"
    """What the agent's key map says was done: the `key`, its `action`, and the target where it has one."""
    DIGITS_COLLECTED = "digits.collected"
    """The caller typed so many digits (`count`) that stay hidden; `complete` when they were enough."""
    SMS_SENT = "sms.sent"
    """To whom (`to`, a name and no number), how many `characters`, and Twilio's `message_sid`."""
    MESSAGE_TAKEN = "message.taken"
    """The caller left a `message` for the team; perhaps with `name`, `callback_number` and `urgent`."""
    AGENT_SPEECH_STARTED = "agent.speech_started"
    """By what is heard, not by what was sent."""
    AGENT_SPEECH_ENDED = "agent.speech_ended"
    AGENT_TRANSCRIPT = "agent.transcript"
    """What was said, as above; what was heard of it is in `agent.interrupted`, or all of it."""
    AGENT_TEXT = "agent.text"
    """What the agent wrote instead of saying it."""
    AGENT_INTERRUPTED = "agent.interrupted"
    RESPONSE_DONE = "response.done"
    """An answer is over: `usage` in the provider's words; in ours `model`, `tokens`, and `cost_usd` where known."""
    USAGE = "usage"
    """Something was used beside the call's answers: `of` a `transcription`, an `aside` or an `answer` of a session that
    was replaced. The rest as above, and `audio_s` of a recogniser that is paid by the time."""
    PRICE_UNKNOWN = "price.unknown"
    """What was used has no price, and `reason` says why; told once for each reason. It counts in no budget."""
    BUDGET_SOFT = "budget.soft"
    """The call has cost `limit_usd`: the agent was asked to come to an end."""
    BUDGET_HARD = "budget.hard"
    """The call has cost `limit_usd`: it is ended."""
    LIMIT_REACHED = "limit.reached"
    """The agent says goodbye and the call ends: `limit` is `max_call_seconds` or `silence`."""
    ANSWER_LATE = "answer.late"
    """The caller has waited five seconds; `waiting_for` says for what."""
    ANSWER_LATENCY = "answer.latency"
    """From the end of the caller's speech to the first delta, the first frame sent and the first mark returned."""
    TOOL_CALLED = "tool.called"
    TOOL_ANSWERED = "tool.answered"
    TOOL_FAILED = "tool.failed"
    MCP_LISTED = "mcp.listed"
    MCP_CALLED = "mcp.called"
    MCP_APPROVAL_GRANTED = "mcp.approval_granted"
    """A tool (`name`) of an MCP server (`server`) wanted approval, and its operator had given it beforehand."""
    MCP_APPROVAL_DENIED = "mcp.approval_denied"
    """The same, and nobody had: there is no one on a phone call to ask."""
    RECORDING_STARTED = "recording.started"
    """By whom, says `source`: `own`, `twilio` or `both`."""
    RECORDING_PAUSED = "recording.paused"
    RECORDING_RESUMED = "recording.resumed"
    RECORDING_DECLINED = "recording.declined"
    """The caller did not want it: it ended, and what there was is deleted."""
    RECORDING_GAP = "recording.gap"
    """The disk refused for so long that `lost_ms` of sound are missing."""
    OPERATOR_COMMAND = "operator.command"
    """Somebody outside asked for `action`: who says `by`, and why it was not done `refused`, where it was not."""
    ANSWERED_BY = "answered_by"
    """Who picked up a call that we placed, in the carrier's words, and which `action` follows."""
    VOICEMAIL_LEFT = "voicemail.left"
    """The caller has left a message; the call's recording has it."""
    AGENT_SWITCHED = "agent.switched"
    """Another `agent`, in its `agent_version`, has taken the call over `from_agent`."""
    TRANSFER_STARTED = "transfer.started"
    """The caller is put through `to` a number; the name of the `destination` where the agent chose it."""
    TRANSFER_FAILED = "transfer.failed"
    """The caller stays with the agent; `reason` says why."""
    TRANSFER_RETURNED = "transfer.returned"
    """The caller is back, for nobody there took the call: `status` is `busy`, `no-answer`, `failed` or `canceled`."""
    DTMF_SENT = "dtmf.sent"
    """The agent pressed these `digits`."""
    STREAM_LEFT = "stream.left"
    """The caller is elsewhere, and the call waits for another stream."""
    STREAM_RETURNED = "stream.returned"
    """The call goes on in another stream, after `away_ms`."""
    STREAM_ONE_WAY = "stream.one_way"
    """Nothing but digital silence has come from the caller for `silent_ms`: they are muted, or the line is broken."""
    STREAM_ODDITIES = "stream.oddities"
    """How many broken, unknown, binary, doubled or missing frames the stream had."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One thing that happened, `at_ms` after the stream's start."""

    kind: Kind
    at_ms: int
    data: dict[str, Any] = field(default_factory=dict)
    fleeting: bool = False
    """Told to listeners, never written down: a piece of something that comes whole later."""
    seq: int = 0
    """Its number in the journal, which gives it; 0 for one without."""


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """The same as it is kept: a line of the journal, a row in the database. `seq` counts from 1 in each call."""

    seq: int
    kind: str
    at_ms: int
    data: dict[str, Any] = field(default_factory=dict)
