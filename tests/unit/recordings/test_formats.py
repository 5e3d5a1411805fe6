"""Text, JSON, SRT and WebVTT, read back by readers of our own."""

import json
import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from app.recordings.formats import CUE_CHARACTERS, name_of, plain, to_json, to_srt, to_text, to_vtt, write
from app.recordings.segments import Segment, from_json

CALL = [
    Segment("agent", 0, 1500, "Hello, this is <Bella's> & Co."),
    Segment("caller", 1400, 2750, "Hi --> there\nyou."),
    Segment("caller", 3_723_004, 3_724_000, "Bye."),
]
TIME = r"(\d\d):([0-5]\d):([0-5]\d)[.,](\d{3})"


def ms(hours: str, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def timed(line: str) -> tuple[int, int]:
    times = re.fullmatch(f"{TIME} --> {TIME}", line)
    assert times, line
    return ms(*times.groups()[:4]), ms(*times.groups()[4:])


def read_srt(text: str) -> list[Segment]:
    cues = []
    for number, block in enumerate(text.strip("\n").split("\n\n") if text else [], start=1):
        count, line, words = block.split("\n")
        assert count == str(number)
        speaker, _, said = words.partition(": ")
        cues.append(Segment(speaker.lower(), *timed(line), said))
    return cues


def read_vtt(text: str) -> list[Segment]:
    head, *blocks = text.strip("\n").split("\n\n")
    assert head == "WEBVTT"
    cues = []
    for block in blocks:
        line, words = block.split("\n")
        voice = re.fullmatch(r"<v ([^<>&]+)>([^<>]*)</v>", words)
        assert voice, words
        cues.append(Segment(voice[1].lower(), *timed(line), unescape(voice[2])))
    return cues


def test_text_has_a_line_for_each_segment():
    assert to_text(CALL) == (
        "[00:00] Agent: Hello, this is <Bella's> & Co.\n[00:01] Caller: Hi --> there you.\n[1:02:03] Caller: Bye.\n"
    )
    assert plain(CALL[::2]) == "Hello, this is <Bella's> & Co.\nBye."


def test_srt_is_what_players_read():
    assert to_srt(CALL[:2]) == (
        "1\n00:00:00,000 --> 00:00:01,500\nAgent: Hello, this is <Bella's> & Co.\n"
        "\n2\n00:00:01,400 --> 00:00:02,750\nCaller: Hi → there you.\n"
    )


def test_vtt_names_each_voice_and_escapes_what_would_be_markup():
    assert to_vtt(CALL[:2]) == (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:00:01.500\n<v Agent>Hello, this is &lt;Bella's&gt; &amp; Co.</v>\n"
        "\n00:00:01.400 --> 00:00:02.750\n<v Caller>Hi --&gt; there you.</v>\n"
    )


def test_json_is_read_back_as_it_was():
    content = json.loads(to_json(CALL, {"language": "en", "text": "Grüße"}))
    assert from_json(content["segments"]) == CALL
    assert (content["language"], content["text"]) == ("en", "Grüße")


def test_an_empty_transcript_is_well_formed_in_every_format():
    assert (write("text", []), write("srt", []), write("vtt", [])) == ("", "", "WEBVTT\n")
    assert json.loads(write("json", [], {"text": ""})) == {"text": "", "segments": []}


def test_a_cue_always_has_a_length_and_long_words_are_several_cues():
    [cue] = read_srt(to_srt([Segment("agent", 700, 700, "Hm.")]))
    assert cue.end_ms > cue.start_ms
    sentence = "This goes on and on. " * 30
    cues = read_vtt(to_vtt([Segment("agent", 1000, 31_000, sentence)]))
    assert all(len(cue.text) <= CUE_CHARACTERS for cue in cues)
    assert [cue.start_ms for cue in cues[1:]] == [cue.end_ms for cue in cues[:-1]]
    assert (cues[0].start_ms, cues[-1].end_ms) == (1000, 31_000)
    assert " ".join(cue.text for cue in cues) == sentence.strip()


def test_a_voice_is_named_as_people_name_it():
    assert [name_of(each) for each in ("caller", "agent", "unknown", "A", "B2")] == [
        "Caller",
        "Agent",
        "Unknown",
        "Speaker A",
        "Speaker B2",
    ]


TEXTS = st.text(min_size=1, max_size=60).filter(lambda text: text.strip() and text == " ".join(text.split()))
SEGMENTS = st.builds(
    lambda speaker, start_ms, ms, text: Segment(speaker, start_ms, start_ms + ms, text),
    st.sampled_from(["caller", "agent", "unknown"]),
    st.integers(0, 10**8),
    st.integers(1, 10**5),
    TEXTS,
)


@given(st.lists(SEGMENTS, max_size=5))
def test_what_was_written_is_read_back(segments):
    assert read_vtt(to_vtt(segments)) == segments
    arrows = [Segment(each.speaker, each.start_ms, each.end_ms, each.text.replace("-->", "→")) for each in segments]
    assert read_srt(to_srt(segments)) == arrows
    assert from_json(json.loads(to_json(segments))["segments"]) == segments
