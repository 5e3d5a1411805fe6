"""What kind of sound file some bytes are, by their first ones."""

from dataclasses import dataclass

MPEG_PACK = b"\x00\x00\x01\xba"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that the transcription takes."""

    extension: str
    content_type: str


WAV = Kind("wav", "audio/wav")
FLAC = Kind("flac", "audio/flac")
OGG = Kind("ogg", "audio/ogg")
WEBM = Kind("webm", "audio/webm")
M4A = Kind("m4a", "audio/mp4")
MP3 = Kind("mp3", "audio/mpeg")
MPEG = Kind("mpeg", "video/mpeg")

EXTENSIONS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
"""What a file's name may end in."""


def kind_of(data: bytes) -> Kind | None:
    """The kind of file this is; None where it is none that the transcription takes."""
    if data[:4] in {b"RIFF", b"RF64"} and data[8:12] == b"WAVE":
        return WAV
    if data[4:8] == b"ftyp":
        return M4A
    for start, kind in _STARTS.items():
        if data.startswith(start):
            return kind
    return MP3 if _is_mpeg_audio(data[:2]) else None


_STARTS = {
    b"fLaC": FLAC,
    b"OggS": OGG,
    b"\x1a\x45\xdf\xa3": WEBM,
    b"ID3": MP3,
    MPEG_PACK: MPEG,
}


def _is_mpeg_audio(head: bytes) -> bool:
    """Eleven set bits, then a version and a layer; layer 0 would be AAC, which is not taken."""
    return len(head) == 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0
