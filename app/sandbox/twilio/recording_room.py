"""Where the carrier records: starts recordings, ends them with their calls, and tells of them."""

import asyncio
from urllib.parse import urljoin

from app.errors import CarrierFault
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.callbacks import Callbacks
from app.sandbox.twilio.recordings import OUTBOUND, REST, TWIML, RecordingManners, Report, SandboxRecording
from app.sandbox.twilio.twiml import Verb
from app.sandbox.twilio.voicemail import VERB, LeftMessage

CURRENT = "Twilio.CURRENT"


class RecordingRoom:
    """Every recording of the account; those that were deleted are only remembered by their SIDs."""

    def __init__(self) -> None:
        self.recordings: dict[str, SandboxRecording] = {}
        self.deleted: list[str] = []
        self.manners = RecordingManners()
        self._reports: list[asyncio.Task[None]] = []

    def start_by_verb(self, call: SandboxCall, start: Verb, base_url: str) -> None:
        """Do what the `<Recording>` of a `<Start>` says, if there is one."""
        for verb in start.children:
            if verb.name == "Recording":
                self._start(call, TWIML, 1 if verb.get("channels", "dual") == "mono" else 2, _report(verb, base_url))

    def start_by_form(self, call: SandboxCall, form: "dict[str, str]", *, with_call: bool) -> SandboxRecording:
        """Do what a REST request says: one that creates a call, or one that starts a recording of a live one."""
        report = Report()
        if url := form.get("RecordingStatusCallback"):
            events = frozenset(form.get("RecordingStatusCallbackEvent", "completed").split())
            report = Report(url, form.get("RecordingStatusCallbackMethod", "POST"), events)
        channels = 2 if form.get("RecordingChannels", "mono") == "dual" else 1
        return self._start(call, OUTBOUND if with_call else REST, channels, report)

    def start_message(self, call: SandboxCall, verb: Verb, base_url: str) -> LeftMessage:
        """Do what a `<Record>` says."""
        message = LeftMessage(call, VERB, 1, _report(verb, base_url), self.manners)
        self.recordings[message.sid] = message
        return message

    def forget(self, recording: SandboxRecording) -> None:
        """There was nothing to record."""
        del self.recordings[recording.sid]

    def of(self, call: SandboxCall) -> list[SandboxRecording]:
        """The recordings of a call that are not deleted."""
        return [recording for recording in self.recordings.values() if recording.call is call]

    def find(self, sid: str, call: SandboxCall | None = None) -> SandboxRecording:
        """The recording of that SID, or a call's current one; raises `CarrierFault` where there is none."""
        if sid == CURRENT and call:
            running = [recording for recording in self.of(call) if recording.ended_ms is None]
            if running:
                return running[-1]
        found = self.recordings.get(sid)
        if found is None or (call and found.call is not call):
            raise CarrierFault(f"The requested resource {sid} was not found", code=20404, status=404)
        return found

    def delete(self, sid: str) -> None:
        """Nobody can have it any more."""
        del self.recordings[self.find(sid).sid]
        self.deleted.append(sid)

    def end(self, call: SandboxCall) -> None:
        """The call is over: so are its recordings. Some are told of before the call's own end is."""
        for recording in self.of(call):
            recording.end()
            if recording.manners.callback == "before":
                self._tell(recording, call.callbacks)

    def report(self, call: SandboxCall) -> None:
        """The call's end has been told: tell of its recordings, at once or late."""
        for recording in self.of(call):
            if recording.manners.callback != "after":
                continue
            if recording.manners.late_ms:
                self._reports.append(asyncio.create_task(self._tell_late(recording), name="sandbox-recording"))
            else:
                self._tell(recording, call.callbacks)

    async def close(self) -> None:
        """Give up what is still to be told."""
        for task in self._reports:
            task.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)

    def _start(self, call: SandboxCall, source: str, channels: int, report: Report) -> SandboxRecording:
        recording = SandboxRecording(call, source, channels, report, self.manners)
        self.recordings[recording.sid] = recording
        self._send(recording, "in-progress", call.callbacks)
        return recording

    async def _tell_late(self, recording: SandboxRecording) -> None:
        await recording.call.network.pass_ms(recording.manners.late_ms)
        callbacks = Callbacks(recording.call.network, recording.call.chronicle)
        self._tell(recording, callbacks)
        await callbacks.drain()

    def _tell(self, recording: SandboxRecording, callbacks: Callbacks) -> None:
        self._send(recording, recording.manners.outcome, callbacks)

    def _send(self, recording: SandboxRecording, status: str, callbacks: Callbacks) -> None:
        report, manners = recording.report, recording.manners
        if not report.url or manners.callback == "never" or status not in report.events | {"failed"}:
            return
        for _ in range(manners.times):
            callbacks.send(report.url, recording.params(status), method=report.method)


def _report(verb: Verb, base_url: str) -> Report:
    url = verb.get("recordingStatusCallback")
    if not url:
        return Report()
    events = frozenset(verb.get("recordingStatusCallbackEvent", "completed").split())
    return Report(urljoin(base_url, url), verb.get("recordingStatusCallbackMethod", "POST"), events)
