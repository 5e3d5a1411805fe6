"""A document is uploaded, and the next caller has the answer from it."""

import json

from app.call.events import Kind
from app.sandbox.openai.brain import CallTool, Heard, Reply, Say
from tests.e2e.calls_api import SHARED, client

PRICES = "# Price list\n\n## Bread\n\nA sourdough loaf, article B-47, is 6 euros.\n"
TOOL = {"type": "query_knowledge", "collections": ["bakery"]}


class Asker:
    """An agent that looks a question up first, and says what it read."""

    def answer(self, heard: Heard) -> Reply:
        if heard.outputs:
            told = json.loads(heard.outputs[-1].output)
            best = told["passages"][0]
            return Reply.of(Say.words(f"{best['text']} ({best['source']})", 200))
        if heard.why == "start":
            return Reply.of(CallTool("query_knowledge", json.dumps({"query": "How much is a loaf of sourdough?"})))
        return Reply()


async def test_r0_31_a_caller_is_answered_from_a_document_that_was_uploaded_over_rest(rig):
    house = await rig(Asker(), agent={"tools": [TOOL]}, **SHARED)
    async with client(house.url) as http:
        uploaded = await http.put("/api/v1/knowledge/bakery/prices.md", content=PRICES)
        large = await http.put("/api/v1/knowledge/bakery/large.txt", content=b"Flour. " * 12_000)
    assert (uploaded.status_code, large.status_code) == (201, 201)

    call = await house.ring()
    await call.wait_heard(150)
    await call.hang_up()
    _, events = await house.settled(call)
    [said] = [event.data["text"] for event in events if event.kind == Kind.AGENT_TRANSCRIPT]
    assert said == "A sourdough loaf, article B-47, is 6 euros. (prices.md)"
