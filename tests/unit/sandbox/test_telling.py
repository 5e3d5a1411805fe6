from app.call.journal.transcript import Turn
from app.recordings.segments import Segment
from app.sandbox.telling import beside, latencies
from app.sandbox.twilio.timeline import AgentStopped


def test_an_agent_that_is_cut_before_the_caller_ever_spoke_has_no_latency():
    assert latencies([AgentStopped(at_ms=1.0, cleared=True)]).row_count == 0


def test_words_of_the_recording_stand_beside_the_turn_of_their_speaker_and_time():
    turns = [Turn("agent", 0, until_ms=1000, said="Hello."), Turn("caller", 1200, until_ms=2000, said="Hi.")]
    segments = [Segment("agent", 50, 900, "Hello."), Segment("caller", 5000, 6000, "Anybody there?")]

    table = beside(turns, segments)

    assert [list(column.cells) for column in table.columns][3:] == [
        ["Hello.", "Hi.", ""],
        ["Hello.", "", "Anybody there?"],
    ]
