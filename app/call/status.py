"""Where a call stands, which moves are legal, and why it ended."""

from enum import StrEnum


class CallStatus(StrEnum):
    RINGING = "ringing"
    CONNECTING = "connecting"
    LIVE = "live"
    TRANSFERRING = "transferring"
    ENDED = "ended"


class EndReason(StrEnum):
    CALLER_HANGUP = "caller_hangup"
    AGENT_HANGUP = "agent_hangup"
    TRANSFERRED = "transferred"
    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_LOST = "model_lost"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    MAX_DURATION = "max_duration"
    SILENCE = "silence"
    SPEND_LIMIT = "spend_limit"
    REJECTED = "rejected"
    OPERATOR = "operator"
    DRAINED = "drained"
    STREAM_LOST = "stream_lost"
    SERVER_CRASH = "server_crash"
    ERROR = "error"


_MOVES: dict[CallStatus, frozenset[CallStatus]] = {
    CallStatus.RINGING: frozenset({CallStatus.CONNECTING, CallStatus.ENDED}),
    CallStatus.CONNECTING: frozenset({CallStatus.LIVE, CallStatus.ENDED}),
    CallStatus.LIVE: frozenset({CallStatus.TRANSFERRING, CallStatus.ENDED}),
    CallStatus.TRANSFERRING: frozenset({CallStatus.LIVE, CallStatus.ENDED}),
    CallStatus.ENDED: frozenset(),
}


def may_move(current: CallStatus, to: CallStatus) -> bool:
    """Whether a call may go from one status to the other."""
    return to in _MOVES[current]
