"""What is kept of a call's sound, for how long, and how it becomes words afterwards."""

from typing import Annotated, Literal

from pydantic import Field

from app.conf.models.base import Conf

RecordingSource = Literal["own", "twilio"]


class RecordingTranscription(Conf):
    """How a finished recording is written down."""

    model: Annotated[str, Field(min_length=1)] = "gpt-transcribe"
    fallback_model: Annotated[str, Field(min_length=1)] | None = "gpt-4o-transcribe"
    """Taken where the provider no longer has the model."""
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field(default_factory=list)
    """What is likely spoken; older models take the first."""
    keywords: list[Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^<>\r\n]+$")]] = Field(
        default_factory=list
    )
    """Names and words that callers are likely to say."""
    prompt: Annotated[str, Field(max_length=4000)] | None = None


class RecordingPolicy(Conf):
    """An agent's recording policy."""

    source: Literal["own", "twilio", "both", "none"] = "own"
    """Who records: we, from the stream; Twilio, at its side; both; or nobody."""
    consent_line: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """Spoken before anything else; with it the agent gets a tool that ends the recording of a caller who declines."""
    retention_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """Deleted, here and at Twilio, so long after the call; without it nothing is deleted."""
    delete_at_twilio: bool = False
    """Whether Twilio's copy goes as soon as ours is safe."""
    caller_channel: Literal["left", "right"] = "left"
    """Where Twilio's recordings have the caller; calls over SIP trunks are the other way round."""
    transcription: RecordingTranscription | None = RecordingTranscription()

    @property
    def announced(self) -> str | None:
        """What the caller is told before anything is recorded, if anything is."""
        return self.consent_line if self.source != "none" else None

    @property
    def own(self) -> bool:
        """Whether we record."""
        return self.source in {"own", "both"}

    @property
    def twilio(self) -> bool:
        """Whether Twilio records."""
        return self.source in {"twilio", "both"}
