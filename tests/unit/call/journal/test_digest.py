"""A call in figures."""

from app.call.events import Kind, NumberedEvent
from app.call.journal.digest import Spread, TalkingAgent, ToolRun, digest


def events(*told):
    return [NumberedEvent(seq, kind, at_ms, data) for seq, (kind, at_ms, data) in enumerate(told, 1)]


def answer(first_ms):
    latency = {"first_delta_ms": first_ms, "first_frame_ms": first_ms + 10, "first_mark_ms": first_ms + 100}
    return (Kind.ANSWER_LATENCY, 5, {"item_id": f"i{first_ms}", "latency": latency})


def called(call_id, name, at_ms=0):
    return (Kind.TOOL_CALLED, at_ms, {"call_id": call_id, "name": name, "arguments": "{}"})


ENDED = (Kind.CALL_ENDED, 9, {"reason": "caller_hangup"})


def done(kind, call_id, output):
    return (kind, 9, {"call_id": call_id, "name": "any", "output": output, "took_ms": 7})


def test_a_call_without_events_is_empty():
    empty = digest([])
    assert (list(empty.turns), list(empty.tools), empty.answers, empty.latency, empty.usage) == ([], [], 0, {}, {})


def test_latency_is_told_by_its_median_and_its_worst():
    told = digest(events(answer(300), answer(900), answer(400)))
    assert told.answers == 3
    assert told.latency["first_delta_ms"] == Spread(p50=400, max=900)
    assert told.latency["first_mark_ms"] == Spread(p50=500, max=1000)


def test_tools_are_paired_with_their_answers_however_these_are_ordered():
    told = digest(
        events(
            called("a", "first", 1),
            called("b", "second", 2),
            called("c", "third", 3),
            done(Kind.TOOL_FAILED, "b", "no"),
            done(Kind.TOOL_ANSWERED, "a", "yes"),
            done(Kind.TOOL_ANSWERED, "unasked", "?"),
        )
    )
    assert list(told.tools) == [
        ToolRun("first", 1, "{}", "answered", "yes", 7),
        ToolRun("second", 2, "{}", "failed", "no", 7),
        ToolRun("third", 3, "{}", "running"),
    ]


def test_no_tool_runs_in_a_call_that_has_ended():
    told = digest(events(called("a", "first", 1), done(Kind.TOOL_ANSWERED, "a", "x"), called("b", "second", 2), ENDED))
    assert [(run.name, run.state) for run in told.tools] == [("first", "answered"), ("second", "unanswered")]


def test_tools_of_mcp_servers_stand_among_the_others():
    data = {"server": "crm", "name": "find", "arguments": "{}", "output": None, "error": "down"}
    [run] = digest(events((Kind.MCP_CALLED, 4, data))).tools
    assert (run.server, run.state, run.output) == ("crm", "failed", "down")


def test_usage_is_added_up_however_deep_it_is():
    def response(usage):
        return (Kind.RESPONSE_DONE, 1, {"status": "completed", "reason": None, "usage": usage})

    told = digest(
        events(
            response({"total_tokens": 10, "input_token_details": {"audio_tokens": 4, "cached_tokens": None}}),
            response(None),
            response({"total_tokens": 5, "input_token_details": {"audio_tokens": 1}, "note": "x"}),
        )
    )
    assert told.usage == {"total_tokens": 15, "input_token_details": {"audio_tokens": 5}}


def test_turns_are_told_and_kinds_of_another_release_left_out():
    told = digest(
        events(
            (Kind.CALLER_SPEECH_STARTED, 10, {"item_id": "u"}),
            ("from.the_future", 11, {}),
            (Kind.CALLER_TRANSCRIPT, 20, {"item_id": "u", "text": "Hello", "final": True}),
        )
    )
    assert [(turn.speaker, turn.said) for turn in told.turns] == [("caller", "Hello")]


def test_agents_that_took_the_call_over_are_told_in_their_order():
    switch = {"from_agent": "a", "agent": "billing", "agent_version": 3}
    told = digest(events((Kind.AGENT_SWITCHED, 900, switch), (Kind.AGENT_SWITCHED, 1900, switch | {"agent": "a"})))
    assert told.agents == [TalkingAgent(900, "billing", 3), TalkingAgent(1900, "a", 3)]
