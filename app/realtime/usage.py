"""What was used of a model, in words that no provider owns."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind. The cached ones are a part of what went in, and cost less."""

    text_in: int = 0
    text_cached: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    image_in: int = 0
    image_cached: int = 0
    text_out: int = 0
    audio_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        """Everything that went in or came out."""
        return self.text_in + self.audio_in + self.image_in + self.text_out + self.audio_out


@dataclass(frozen=True, slots=True)
class Used:
    """What one answer, or the writing down of one turn, used of which model."""

    model: str
    tokens: Usage = Usage()
    audio_s: float | None = None
    """Of a model that is paid by the time that it listened to."""
