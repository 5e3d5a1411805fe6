"""Every error we raise, as one tree: the branch says who is at fault, the message what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a value: where in it, in words for its writer, and in one word for a program."""

    path: str
    message: str
    code: str = "refused"


class ParleyError(Exception):
    """The root of all our errors."""


class SettingsError(ParleyError):
    """What the process needs to start is missing or wrong; the message says which setting and how to mend it."""


class ConfError(ParleyError):
    """Something an operator configured is missing or wrong."""


class ConfMissing(ConfError):
    """A configuration row that is needed does not exist."""


class ConfInvalid(ConfError):
    """A value was refused; the message names each field's path and the reason, `faults` the same one by one."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class ConfInUse(ConfInvalid):
    """A row cannot go while another one needs it."""


class ConfExists(ConfError):
    """A row that was to be made is there already."""


class ConfConflict(ConfError):
    """Somebody else wrote the row since it was read."""


class SecretsError(ConfError):
    """A secret cannot be read with the keys we hold."""


class DatabaseError(ParleyError):
    """PostgreSQL cannot be started or reached."""


class CarrierError(ParleyError):
    """The phone network's side failed us."""


class MediaProtocolError(CarrierError):
    """A Media Streams frame cannot be read."""


class CarrierApiError(CarrierError):
    """A REST request to the carrier failed."""

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class CarrierFault(CarrierError):
    """The carrier refuses what a server gave it, with one of its own error codes."""

    def __init__(self, message: str, *, code: int, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class LastAdminKey(ParleyError):
    """Without this key nobody could administer the server over its API."""


class OutboundRefused(ParleyError):
    """A call is not placed; the message says why in words, `code` in one, and `next_at` when it could be."""

    def __init__(self, code: str, message: str, *, next_at: datetime | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.next_at = next_at


class CommandRefused(ParleyError):
    """A live call does not do what it was asked to; the message says why in words, `code` in one."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CallNotLive(ParleyError):
    """Something was asked of a call that can be done only while it goes on."""


class CallUnknown(ParleyError):
    """There is no call of that id."""


class CallSilent(ParleyError):
    """The process that carries the call did not answer. `safe` where what was asked will not be done any more."""

    def __init__(self, message: str, *, safe: bool) -> None:
        super().__init__(message)
        self.safe = safe


class Refused(ParleyError):
    """A request or a stream is not let in; the message is the reason, fit for the one who asked."""


class SessionError(ParleyError):
    """The model's side failed us."""


class SessionUnavailable(SessionError):
    """No session could be opened. `retryable` says whether another try could help."""

    def __init__(self, message: str, *, code: str | None = None, retryable: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class SessionLost(SessionError):
    """An open session ended without our asking."""


class ToolError(ParleyError):
    """A tool could not do what the model asked; the message is what the model is told."""


class StorageError(ParleyError):
    """The storage of recordings failed us."""


class NotStored(StorageError):
    """The storage has nothing under that name."""


class AudioError(ParleyError):
    """A file holds no sound that we can read; the message says what is wrong with it."""


class TranscriptionError(ParleyError):
    """A recording could not be written down; the subclass says whether another try could help."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        """The field at fault, as the other side named it."""
        self.request_id = request_id
        """What its support asks for."""


class TranscriptionRefused(TranscriptionError):
    """The request itself is at fault: the same one would be refused again."""


class TranscriptionKeyRejected(TranscriptionError):
    """The key, its project or its quota is at fault: every request would be refused, until a person mends it."""


class TranscriptionUnavailable(TranscriptionError):
    """The other side is at fault, or the network; `after_s` is how long it asked us to wait."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        after_s: float | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, param=param, request_id=request_id)
        self.after_s = after_s


class BackupError(ParleyError):
    """A backup cannot be made, read, or restored here; the message says why and what would help."""


class CallIsLive(ParleyError):
    """Something was asked of a call that can be done only when it is over."""


class EgressRefused(ParleyError):
    """An address that somebody configured is not one that we connect to."""


class EgressFailed(ParleyError):
    """A server that somebody configured could not be reached or did not answer; the message says how it failed."""


class DocumentRefused(ParleyError):
    """A document cannot be taken in; the message says why and what would help, `code` why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
