"""The clips that ship with the sandbox: raw µ-law, 8 kHz, one file for each phrase and voice."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that exist as a clip."""

    text: str
    role: Literal["agent", "caller"]


@cache
def phrases() -> dict[str, Phrase]:
    """Every phrase by its id."""
    listed = json.loads((HERE / "phrases.json").read_text("utf-8"))
    return {phrase_id: Phrase(**phrase) for phrase_id, phrase in listed.items()}


@cache
def voices() -> tuple[str, ...]:
    """The callers' voices; each can say every caller phrase."""
    return tuple(sorted(path.name for path in (HERE / "clips").iterdir() if path.name != AGENT_VOICE))


AGENT_VOICE = "slt"


@cache
def clip(phrase_id: str, voice: str | None = None) -> bytes:
    """The µ-law audio of a phrase; without a voice, the agent's own or the first of the callers'."""
    phrase = phrases()[phrase_id]
    if voice is None:
        voice = AGENT_VOICE if phrase.role == "agent" else voices()[0]
    return (HERE / "clips" / voice / f"{phrase_id}.ulaw").read_bytes()


def text_of(phrase_id: str) -> str:
    """The words of a phrase."""
    return phrases()[phrase_id].text


def phrase_with(text: str) -> str | None:
    """The agent phrase that has exactly these words, if there is one."""
    return next((name for name, phrase in phrases().items() if phrase.role == "agent" and phrase.text == text), None)
