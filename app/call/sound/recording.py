"""The recording of a live call: who makes it, and how it is paused, resumed and declined."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from app.call.carrier import Carrier
from app.call.events import CallEvent, Kind
from app.call.journal.journal import Journal, JournalWriter
from app.call.registry import Registry
from app.conf.models import RecordingPolicy
from app.errors import CarrierError

DECLINED = "The recording has been stopped, and what was recorded has been deleted."
NOT_YET_DELETED = "The recording has been stopped. What was recorded will be deleted."
NOT_RECORDED = "This call is not being recorded."

_log = structlog.get_logger(__name__)


class CallRecording:
    """Does to our own recording, and to the carrier's, what policy, caller and operator want.

    Ours changes at once. The carrier is asked where it records too; when it refuses, that is logged and the call
    goes on. What was decided holds for the phone call's later streams as well.
    """

    def __init__(
        self,
        policy: RecordingPolicy,
        *,
        call_sid: str,
        journal: Journal,
        journals: JournalWriter,
        carrier: Carrier,
        carrier_s: float,
        registry: Registry,
        now_ms: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._call_sid = call_sid
        self._journal = journal
        self._journals = journals
        self._carrier = carrier
        self._carrier_s = carrier_s
        self._registry = registry
        self._now_ms = now_ms
        self._paused = False
        self._hidden = False
        self._silent = False  # because it is paused, or hidden
        self._obeyed = True  # whether the carrier did what it was asked last
        self._on = policy.source != "none" and registry.wished(call_sid) != "declined"

    def begin(self) -> None:
        """The call is live; a phone call whose recording was paused stays paused."""
        if not self._on:
            return
        self._note(Kind.RECORDING_STARTED, source=self._policy.source)
        if self._registry.wished(self._call_sid) == "paused":
            self._paused = True
            self._fall_silent()

    async def pause(self) -> bool:
        """Keep nothing of what is said from here on; False where nothing was being recorded."""
        if not self._on or self._paused:
            return False
        self._paused = True
        self._registry.wish(self._call_sid, "paused")
        if not self._hidden:
            self._fall_silent()
            await self._ask_carrier(self._carrier.pause_recording)
        return True

    async def resume(self) -> bool:
        """Keep it again; False where the recording was not paused."""
        if not self._on or not self._paused:
            return False
        self._paused = False
        self._registry.wish(self._call_sid, None)
        if not self._hidden:
            await self._go_on()
        return True

    async def hide(self) -> None:
        """Keep nothing until `show`, whatever anybody wants meanwhile; that is done then.

        Raises `CarrierError` where the carrier records and does not pause.
        """
        self._hidden = True
        audible = self._on and not self._silent
        if audible:
            self._fall_silent()
        if audible or not self._obeyed:
            await self._ask_carrier(self._carrier.pause_recording)
        if not self._obeyed:
            raise CarrierError("the carrier goes on recording")

    async def show(self) -> None:
        """What is said may be kept again, unless it is paused."""
        self._hidden = False
        if self._on and not self._paused and self._silent:
            await self._go_on()

    async def decline(self) -> str:
        """The caller does not want it: stop, and delete what there is. What the model shall be told of it."""
        if not self._on:
            return NOT_RECORDED
        self._on = False
        self._registry.wish(self._call_sid, "declined")
        self._journal.declined()
        self._note(Kind.RECORDING_DECLINED)
        deleted = await self._journals.flush(self._journal)
        await self._ask_carrier(self._carrier.stop_recording)
        return DECLINED if deleted else NOT_YET_DELETED

    def _fall_silent(self) -> None:
        self._silent = True
        self._journal.recorder.pause(self._now_ms())
        self._note(Kind.RECORDING_PAUSED)

    async def _go_on(self) -> None:
        self._silent = False
        self._journal.recorder.resume(self._now_ms())
        self._note(Kind.RECORDING_RESUMED)
        await self._ask_carrier(self._carrier.resume_recording)

    async def _ask_carrier(self, request: Callable[[str], Awaitable[None]]) -> None:
        if not self._policy.twilio:
            return
        self._obeyed = False
        try:
            async with asyncio.timeout(self._carrier_s):
                await request(self._call_sid)
            self._obeyed = True
        except (CarrierError, TimeoutError) as error:
            _log.warning("carrier_recording_refused", request=request.__name__, error=str(error) or "time limit")

    def _note(self, kind: Kind, **data: str) -> None:
        self._journal.add(CallEvent(kind, int(self._now_ms()), data))
