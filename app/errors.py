"""Every error we raise, as one tree: the branch says who is at fault, the message what happened."""


class ParleyError(Exception):
    """The root of all our errors."""


class SettingsError(ParleyError):
    """What the process needs to start is missing or wrong; the message says which setting and how to mend it."""


class ConfError(ParleyError):
    """Something an operator configured is missing or wrong."""


class ConfMissing(ConfError):
    """A configuration row that is needed does not exist."""


class ConfInvalid(ConfError):
    """A value was refused; the message names each field's path and the reason."""


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
