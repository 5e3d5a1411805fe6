"""The demo's agent: it keeps the book of the Harbour Bistro."""

import json

from app.sandbox.openai.brain import CallTool, Heard, Reply, Say, ToolOutput

LOOKUP_TOOL = "lookup_table"
END_CALL_TOOL = "end_call"


class StoryBrain:
    """Answers the phrases it knows, looks tables up, and hangs up after a goodbye."""

    def answer(self, heard: Heard) -> Reply:
        """The restaurant's next words."""
        match heard.why:
            case "start":
                return _say("greeting")
            case "exact_words":
                return Reply.of(Say.words(heard.words))
            case "idle":
                return _say("still_there")
            case "tool_outputs":
                return self._found(heard)
            case _:
                return self._asked(heard)

    def _asked(self, heard: Heard) -> Reply:
        match heard.phrase:
            case "table_tonight":
                return _look_up("tonight", heard)
            case "tomorrow_instead":
                return _look_up("tomorrow", heard)
            case "opening_hours":
                return _say("opening_sunday")
            case "speak_to_human":
                return _say("nobody_else")
            case "goodbye" | "thank_you":
                return _say_and_end("thanks_goodbye", heard)
            case "one_moment":
                return _say("still_there")
            case _:
                return _say("not_understood")

    def _found(self, heard: Heard) -> Reply:
        looked_up = ((_evening(each), each.output) for each in heard.outputs if each.name == LOOKUP_TOOL)
        evening, found = next(looked_up, ("", ""))
        if evening == "tonight" and "six" in found:
            return _say("tonight_tables")
        if evening == "tomorrow" and "eight" in found:
            return _say_and_end("tomorrow_goodbye", heard)
        return _say("not_found") if evening else Reply()


def _evening(output: ToolOutput) -> str:
    return str(json.loads(output.arguments).get("evening", ""))


def _say(phrase_id: str) -> Reply:
    return Reply.of(Say.phrase(phrase_id))


def _say_and_end(phrase_id: str, heard: Heard) -> Reply:
    end = (CallTool(END_CALL_TOOL),) if END_CALL_TOOL in heard.tools else ()
    return Reply.of(Say.phrase(phrase_id), *end)


def _look_up(evening: str, heard: Heard) -> Reply:
    if LOOKUP_TOOL not in heard.tools:
        return _say("not_found")
    return Reply.of(CallTool(LOOKUP_TOOL, json.dumps({"evening": evening})))
