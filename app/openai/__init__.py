"""Realtime sessions with OpenAI."""

from app.openai.connect import realtime_url
from app.openai.constants import OPENAI_REALTIME_BASE_URL, OPENAI_TRANSCRIPTION_URL
from app.openai.opening import create_openai_realtime_session
from app.openai.realtime import OpenAIProvider
from app.openai.receiver import OpenAIRealtimeSessionReceiver
from app.openai.sender import OpenAIRealtimeSessionSender
from app.openai.types.audio import OpenaiRealtimeSessionConfigAudio
from app.openai.types.session import OpenaiRealtimeSessionConfig, OpenaiRealtimeTool

__all__ = [
    "OPENAI_REALTIME_BASE_URL",
    "OPENAI_TRANSCRIPTION_URL",
    "OpenAIProvider",
    "OpenAIRealtimeSessionReceiver",
    "OpenAIRealtimeSessionSender",
    "OpenaiRealtimeSessionConfig",
    "OpenaiRealtimeSessionConfigAudio",
    "OpenaiRealtimeTool",
    "create_openai_realtime_session",
    "realtime_url",
]
