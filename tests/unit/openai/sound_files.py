"""Little sound files of every kind, built byte by byte."""

import struct

from app.doctor.speech import wav
from app.sandbox.voices.clips import clip


def pcm_wav(phrase_id: str = "goodbye") -> bytes:
    return wav(clip(phrase_id))


def silent_wav(seconds: float) -> bytes:
    return wav(b"\xff" * round(seconds * 8000))


def ulaw_wav(seconds: float) -> bytes:
    """Stereo, with the longer header that the format asks of anything but PCM."""
    data = b"\xff\xff" * round(seconds * 8000)
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 2, 8000, 16_000, 2, 8, 0)
    body = b"WAVE" + form + struct.pack("<4sII", b"fact", 4, len(data) // 2) + struct.pack("<4sI", b"data", len(data))
    return struct.pack("<4sI", b"RIFF", len(body) + len(data)) + body + data


def mp3(frames: int, *, tagged: bool = False, id3: int = 0) -> bytes:
    """MPEG-2 layer III, 16 kbit/s, 16 kHz: 72 bytes and 36 ms a frame."""
    frame = b"\xff\xf3\x28\xc0" + bytes(68)
    head = b"\xff\xf3\x28\xc0" + bytes(17) + b"Xing" + bytes(47) if tagged else b""
    tag = b"ID3\x04\x00\x00" + bytes((0, 0, id3 >> 7, id3 & 0x7F)) + b"\xff\xf3\x28\xc0".ljust(id3, b"\0")
    return (tag if id3 else b"") + head + frame * frames


def flac(samples: int, rate_hz: int = 16_000) -> bytes:
    packed = rate_hz << 44 | 15 << 36 | samples
    return b"fLaC\x00\x00\x00\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16) + bytes(100)


def ogg(start: bytes, position: int) -> bytes:
    def page(granule: int, packet: bytes) -> bytes:
        return b"OggS" + struct.pack("<BBqIII", 0, 0, granule, 1, 0, 0) + bytes((1, len(packet))) + packet

    return page(0, start) + page(position, b"sound") + page(-1, b"more of it")


OPUS = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 16_000, 0, 0)
VORBIS = b"\x01vorbis" + struct.pack("<IBIiii", 0, 1, 44_100, 0, 0, 0)


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


def m4a(*, length: int, rate: int = 1000) -> bytes:
    mvhd = box(b"mvhd", bytes(12), struct.pack(">II", rate, length), bytes(80))
    return box(b"ftyp", b"M4A ") + box(b"mdat", bytes(100)) + box(b"moov", mvhd)


def fragmented_m4a() -> bytes:
    mvhd = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 0), bytes(80))
    mdhd = box(b"mdhd", bytes(12), struct.pack(">II", 48_000, 0), bytes(4))
    moov = box(b"moov", mvhd, box(b"trak", box(b"mdia", mdhd)))
    moofs = [
        box(b"moof", box(b"traf", box(b"tfdt", b"\x01\0\0\0", struct.pack(">Q", at)))) for at in (0, 48_000, 96_000)
    ]
    return box(b"ftyp", b"iso5") + moov + b"".join(moofs)


def webm(*, duration_ms: float | None, last_block_ms: int = 1500) -> bytes:
    def element(name: str, content: bytes) -> bytes:
        return bytes.fromhex(name) + (0x4000 | len(content)).to_bytes(2, "big") + content

    info = element("2AD7B1", (1_000_000).to_bytes(3, "big"))
    if duration_ms is not None:
        info += element("4489", struct.pack(">d", duration_ms))
    cluster_at = last_block_ms - 200
    block = element("A3", b"\x81" + struct.pack(">h", 200) + b"\x80" + bytes(30))
    cluster = element("E7", cluster_at.to_bytes(2, "big")) + block
    live = bytes.fromhex("18538067") + b"\x01" + b"\xff" * 7  # of unknown size, as browsers write it
    return element("1A45DFA3", bytes(4)) + live + element("1549A966", info) + element("1F43B675", cluster)


def mpeg(seconds: float) -> bytes:
    def pack(clock: int) -> bytes:
        high, middle, low = clock >> 30 & 7, clock >> 15 & 0x7FFF, clock & 0x7FFF
        bits = 0b01 << 46 | high << 43 | 1 << 42 | middle << 27 | 1 << 26 | low << 11 | 1 << 10
        return b"\x00\x00\x01\xba" + bits.to_bytes(6, "big") + bytes(40)

    return pack(1000) + pack(1000 + round(seconds * 90_000))
