"""Realtime sessions with OpenAI, and its transcription of what was recorded."""

from app.openai.connect import realtime_url
from app.openai.constants import OPENAI_REALTIME_BASE_URL, OPENAI_TRANSCRIPTION_URL
from app.openai.opening import create_openai_realtime_session
from app.openai.realtime import OpenAIProvider
from app.openai.receiver import OpenAIRealtimeSessionReceiver
from app.openai.sender import OpenAIRealtimeSessionSender
from app.openai.transcriber import Transcriber
from app.openai.transcription import transcribe_audio, transcribe_audio_with_options
from app.openai.types.audio import OpenaiRealtimeSessionConfigAudio
from app.openai.types.session import OpenaiRealtimeSessionConfig, OpenaiRealtimeTool
from app.openai.types.transcription import (
    KnownSpeaker,
    TranscriptionRequest,
    TranscriptionResponse,
    TranscriptionSegment,
    TranscriptionWord,
)

__all__ = [
    "OPENAI_REALTIME_BASE_URL",
    "OPENAI_TRANSCRIPTION_URL",
    "KnownSpeaker",
    "OpenAIProvider",
    "OpenAIRealtimeSessionReceiver",
    "OpenAIRealtimeSessionSender",
    "OpenaiRealtimeSessionConfig",
    "OpenaiRealtimeSessionConfigAudio",
    "OpenaiRealtimeTool",
    "Transcriber",
    "TranscriptionRequest",
    "TranscriptionResponse",
    "TranscriptionSegment",
    "TranscriptionWord",
    "create_openai_realtime_session",
    "realtime_url",
    "transcribe_audio",
    "transcribe_audio_with_options",
]
