"""What the agent says, on its way to the caller: framed, counted, and cut where it is interrupted or breaks off."""

from typing import Any

from app.audio import base64_size, ms_of
from app.call.actions import Action, Clear, Play, TellModel, Truncate
from app.call.events import CallEvent, Kind
from app.call.journal.transcript import heard_words, spoken_words
from app.call.notes import words
from app.call.turns.framing import Framer
from app.call.turns.playback import Cut, Playback
from app.realtime.events import AgentTranscript, AudioDelta

HEARD_ONLY = "The caller interrupted you. Of your last words they have heard only: {heard!r}"
MS_A_LETTER = 65.0
"""How fast an agent speaks before we have measured it."""


class Voice:
    """One call's agent, whichever session it speaks from; an item of an earlier session is never truncated in a later.

    An item without an id is all that is said between two interruptions.
    """

    def __init__(self) -> None:
        self.speaking = False
        self.nobody_listens = False
        """Whether the caller is elsewhere: what comes meanwhile is never heard."""
        self._playback = Playback()
        self._framer = Framer()
        self._item_id: str | None = None  # the item whose audio is coming in
        self._last_item_id = ""
        self._cut_items: dict[str, bool] = {}  # muted item: whether the model knows where it was cut
        self._cut_responses: set[str] = set()
        self._past: frozenset[str] = frozenset()  # items of earlier sessions
        self._said: dict[str, str] = {}
        self._whole: dict[str, int] = {}  # letters of an item whose words are complete
        self._pace = (0, 0)  # letters and milliseconds of the items that were sent whole

    @property
    def unheard(self) -> bool:
        """Whether the caller has not yet heard everything that was sent."""
        return self._playback.unheard

    @property
    def plays_until_ms(self) -> float:
        """When everything sent has been heard, by our reckoning."""
        return self._playback.plays_until_ms

    # -- what comes from the model

    def is_cut(self, delta: AudioDelta) -> bool:
        """Whether that audio belongs to an answer that was interrupted."""
        return self.nobody_listens or delta.item_id in self._cut_items or delta.response_id in self._cut_responses

    def on_response(self, response_id: str) -> None:
        """An answer begins; it is none of those that were interrupted."""
        self._cut_responses.discard(response_id)

    def on_late_audio(self, item_id: str) -> list[Action]:
        """Audio of an answer that was cut is dropped; the model learns once that it was never heard."""
        if self._cut_items.get(item_id) or not item_id:
            return []
        self._cut_items[item_id] = True
        return [Truncate(item_id, self._playback.sent_ms(item_id))]

    def on_audio(self, delta: AudioDelta, at_ms: float) -> list[Action]:
        """Audio that the caller shall hear."""
        actions = self.flush(at_ms) if delta.item_id != self._item_id else []
        self._item_id = self._last_item_id = delta.item_id
        try:
            audio = self._framer.push(delta.audio)
        except ValueError:
            return [*actions, _event(Kind.SESSION_ERROR, at_ms, code="broken_audio", message="a delta is not base64")]
        if audio:
            actions += self._play(delta.item_id, audio, ms_of(base64_size(audio)), at_ms)
        return actions

    def on_audio_done(self, item_id: str, at_ms: float) -> list[Action]:
        """That item has all its audio."""
        if item_id in self._cut_items:
            return []
        actions = self.end_item(at_ms) if item_id == self._item_id else []
        self._playback.finish(item_id)
        self._measure(item_id)
        return actions

    def end_item(self, at_ms: float) -> list[Action]:
        """No audio follows what came last."""
        actions = self.flush(at_ms)
        self._item_id = None
        return actions

    def on_words(self, said: AgentTranscript, at_ms: float) -> list[Action]:
        """Words of the agent; they run ahead of their audio."""
        before = "" if said.final else self._said.get(said.item_id, "")
        self._said[said.item_id] = before + said.text
        if said.final:
            self._whole[said.item_id] = len(said.text)
        return [words(Kind.AGENT_TRANSCRIPT, at_ms, said.item_id, said.text, final=said.final)]

    def flush(self, at_ms: float) -> list[Action]:
        """Send what is left of the current item, filled up to a whole frame."""
        audio, real_bytes = self._framer.flush()
        if not audio or self._item_id is None:
            return []
        real_ms = ms_of(real_bytes)
        return self._play(self._item_id, audio, real_ms, at_ms, padding_ms=ms_of(base64_size(audio)) - real_ms)

    def _play(self, item_id: str, audio: str, ms: int, at_ms: float, padding_ms: int = 0) -> list[Action]:
        queued = self._playback.queue(item_id, ms, at_ms, padding_ms=padding_ms)
        play = Play(audio, queued.mark)
        if self.speaking:
            return [play]
        self.speaking = True
        return [play, _event(Kind.AGENT_SPEECH_STARTED, queued.plays_from_ms, item_id=item_id)]

    def _measure(self, item_id: str) -> None:
        if letters := self._whole.get(item_id, 0) if item_id else 0:
            self._pace = (self._pace[0] + letters, self._pace[1] + self._playback.sent_ms(item_id))

    # -- what comes from the caller's side

    def reached(self, mark: str, at_ms: float) -> bool:
        """A mark came back: everything up to it was heard. False for one that says nothing."""
        return self._playback.reached(mark, at_ms)

    def interrupt(self, at_ms: float, response_id: str | None) -> list[Action]:
        """The caller speaks over the agent: silence at once, and the model learns what was heard."""
        unheard = self._playback.unheard
        cuts = self._playback.interrupt(at_ms)
        self._mute(response_id)
        actions: list[Action] = [Clear()] if unheard else []
        for cut in cuts:
            if cut.item_id:
                self._cut_items[cut.item_id] = True
                actions.append(self._told(cut))
        actions += [self._interrupted(cut, at_ms) for cut in cuts]
        return actions + self.stop(at_ms)

    def _told(self, cut: Cut) -> Action:
        if cut.item_id not in self._past:
            return Truncate(cut.item_id, cut.heard_ms)
        return TellModel(HEARD_ONLY.format(heard=self._heard(cut)), "system", respond=False, lasting=False)

    def _heard(self, cut: Cut) -> str:
        return heard_words(self._said.get(cut.item_id, ""), cut.heard_ms, self._playback.sent_ms(cut.item_id))

    def _interrupted(self, cut: Cut, at_ms: float) -> CallEvent:
        return _event(
            Kind.AGENT_INTERRUPTED,
            at_ms,
            item_id=cut.item_id,
            heard_ms=cut.heard_ms,
            sent_ms=self._playback.sent_ms(cut.item_id),
            said=self._said.get(cut.item_id, ""),
            heard=self._heard(cut),
        )

    def _mute(self, response_id: str | None) -> None:
        """Whatever still comes of the answer under way is late: the provider ends it by itself."""
        if response_id is not None:
            self._cut_responses.add(response_id)
        self._framer.drop()
        self._item_id = None

    def stop(self, at_ms: float) -> list[Action]:
        """The agent is heard no more."""
        was_speaking, self.speaking = self.speaking, False
        return [_event(Kind.AGENT_SPEECH_ENDED, at_ms)] if was_speaking else []

    def stop_if_heard(self, at_ms: float) -> list[Action]:
        """The same, where everything has been heard and nothing is on its way."""
        return [] if self.unheard or self._item_id else self.stop(at_ms)

    # -- between two sessions

    def leave(self, at_ms: float) -> list[Action]:
        """The session is gone: what it was saying ends here, and its words with it. What was sent goes on playing."""
        actions = self.flush(at_ms)
        if self._item_id:
            self._said[self._item_id] = self._sent_words(self._item_id)
            actions.append(words(Kind.AGENT_TRANSCRIPT, at_ms, self._item_id, self._said[self._item_id], final=True))
        self._item_id = None
        self._past = self._playback.finish_all()
        self._cut_responses.clear()
        return actions

    @property
    def midway(self) -> bool:
        """Whether more is to come of what is being said."""
        return self._item_id is not None

    @property
    def last_words(self) -> str:
        """What was said last, as far as it was sent."""
        return self._said.get(self._last_item_id, "")

    def _sent_words(self, item_id: str) -> str:
        letters, ms = self._pace
        return spoken_words(
            self._said.get(item_id, ""), self._playback.sent_ms(item_id), ms / letters if letters else MS_A_LETTER
        )


def _event(kind: Kind, at_ms: float, **data: Any) -> CallEvent:
    return CallEvent(kind, int(at_ms), data)
