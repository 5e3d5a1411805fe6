"""Where a session stands, and which moves are legal."""

from enum import StrEnum


class SessionStatus(StrEnum):
    CONNECTING = "connecting"
    ACTIVE = "active"
    DISCONNECTED = "disconnected"
    """Ended because we asked for it, or because the network did."""
    EXPIRED = "expired"
    """Ended because the provider lets no session live longer."""
    ERROR = "error"
    """Ended because the provider refused to go on."""


_ENDS = frozenset({SessionStatus.DISCONNECTED, SessionStatus.EXPIRED, SessionStatus.ERROR})

_MOVES: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.CONNECTING: frozenset({SessionStatus.ACTIVE}) | _ENDS,
    SessionStatus.ACTIVE: _ENDS,
    SessionStatus.DISCONNECTED: frozenset(),
    SessionStatus.EXPIRED: frozenset(),
    SessionStatus.ERROR: frozenset(),
}


def may_move(current: SessionStatus, to: SessionStatus) -> bool:
    """Whether a session may go from one status to the other."""
    return to in _MOVES[current]
