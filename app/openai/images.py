"""Pictures as the wire carries them."""

from app.audio import to_base64

SMALLEST_BYTES = 100
"""Whatever is shorter is a broken frame, not a picture."""
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def data_url(image: bytes) -> str | None:
    """A PNG or JPEG as a data URL; `None` for anything else."""
    if len(image) < SMALLEST_BYTES:
        return None
    kinds = (kind for signature, kind in _SIGNATURES.items() if image.startswith(signature))
    kind = next(kinds, None)
    return f"data:{kind};base64,{to_base64(image)}" if kind else None
