"""Who guesses keys: a bounded memory of wrong ones, by address."""

from collections import OrderedDict

WINDOW_MS = 60_000
LIMIT = 10
REMEMBERED_ADDRESSES = 10_000


class BadKeys:
    """Blocks an address for the rest of a minute in which it gave ten wrong keys."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def blocked_ms(self, address: str, now_ms: float) -> float:
        """For how long this address is not listened to; 0 when it is."""
        since_ms, count = self._windows.get(address, (now_ms, 0))
        return max(0.0, since_ms + WINDOW_MS - now_ms) if count >= LIMIT else 0.0

    def note(self, address: str, now_ms: float) -> None:
        """This address gave a wrong key."""
        since_ms, count = self._windows.pop(address, (now_ms, 0))
        if now_ms - since_ms >= WINDOW_MS:
            since_ms, count = now_ms, 0
        self._windows[address] = (since_ms, count + 1)
        if len(self._windows) > REMEMBERED_ADDRESSES:
            self._windows.popitem(last=False)
