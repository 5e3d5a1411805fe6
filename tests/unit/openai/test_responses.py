"""Who may create a response when: the rules one by one, then all of them against a model of the API."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from app.openai.responses import Create, Responses


def started() -> Responses:
    return Responses(server_answers=True)


def test_a_first_wish_is_sent_at_once():
    assert started().want() == Create("create_1")


def test_wishes_during_a_response_become_one_create_after_it():
    responses = started()
    responses.on_created("r1")

    assert responses.want() is None
    assert responses.want() is None
    assert responses.on_done("r1") == Create("create_1")
    responses.on_created("r2")
    assert responses.on_done("r2") is None


def test_a_wish_while_a_create_is_in_flight_waits_for_that_response():
    responses = started()
    responses.want()
    responses.on_item_sent("late")

    assert responses.want() is None
    responses.on_created("r1")
    assert responses.on_done("r1") == Create("create_2")


def test_an_output_that_another_session_got_keeps_no_other_waiting():
    responses = started()
    responses.on_tool_call("call_a", "restored")
    responses.on_tool_call("call_b", "restored")
    responses.on_answered_elsewhere("call_a")
    assert responses.on_tool_answered("call_b") == Create("create_1")


def test_the_outputs_of_one_response_lead_to_one_create_after_the_last_and_after_its_end():
    responses = started()
    responses.on_created("r1")
    responses.on_tool_call("call_a", "r1")
    responses.on_tool_call("call_b", "r1")

    assert responses.on_tool_answered("call_a") is None
    assert responses.on_done("r1") is None, "call_b has no output yet"
    assert responses.on_tool_answered("call_b") == Create("create_1")


def test_a_slow_tool_does_not_hold_up_a_wish_for_other_words():
    responses = started()
    responses.on_created("r1")
    responses.on_tool_call("slow", "r1")
    responses.on_done("r1")

    assert responses.want() == Create("create_1")
    responses.on_created("r2")
    assert responses.on_done("r2") is None
    assert responses.on_tool_answered("slow") == Create("create_2")


def test_a_tool_call_is_new_only_once():
    responses = started()
    assert responses.on_tool_call("call_a", "r1")
    assert not responses.on_tool_call("call_a", "r1")


def test_nothing_is_created_while_the_caller_speaks():
    responses = started()
    responses.on_speech_started()
    assert responses.want() is None


def test_the_servers_own_answer_fulfils_a_wish_whose_items_were_in_time():
    responses = started()
    responses.on_speech_started()
    responses.on_item_sent("output")
    responses.want()
    responses.on_item_added("output")

    assert responses.on_speech_stopped() is None
    responses.on_created("own")
    assert responses.on_done("own") is None


def test_the_servers_own_answer_that_began_before_the_items_leaves_the_wish():
    responses = started()
    responses.on_speech_started()
    responses.on_item_sent("output")
    responses.want()
    responses.on_speech_stopped()
    responses.on_created("own")
    responses.on_item_added("output")

    assert responses.on_done("own") == Create("create_1")


def test_a_server_that_stays_silent_after_the_caller_is_not_waited_for():
    responses = started()
    responses.on_speech_started()
    responses.want()
    responses.on_speech_stopped()

    assert responses.answer_expected
    assert responses.on_answer_overdue() == Create("create_1")


def test_without_answers_of_its_own_the_server_is_asked_as_soon_as_the_caller_stops():
    responses = Responses(server_answers=False)
    responses.on_speech_started()
    responses.want()
    assert responses.on_speech_stopped() == Create("create_1")


def test_a_create_refused_for_an_active_response_is_sent_again_when_that_is_done():
    responses = started()
    responses.on_item_sent("item")
    create = responses.want()
    responses.on_created("own")  # the server was faster
    assert responses.on_refused(create.event_id, active_response=True) is None
    assert responses.on_done("own") == Create("create_2")


def test_a_create_refused_before_we_know_of_the_active_response_waits_for_its_end():
    responses = started()
    create = responses.want()
    assert responses.on_refused(create.event_id, active_response=True) is None
    assert responses.on_done("own") == Create("create_2")


def test_a_create_refused_for_a_response_that_had_everything_is_not_repeated():
    responses = started()
    responses.on_item_sent("item")
    create = responses.want()
    responses.on_item_added("item")
    responses.on_created("own")
    responses.on_refused(create.event_id, active_response=True)
    assert responses.on_done("own") is None


def test_a_create_refused_for_another_reason_frees_the_way_and_is_not_repeated():
    responses = started()
    create = responses.want()
    assert responses.on_refused(create.event_id, active_response=False) is None
    assert responses.want() == Create("create_2")


def test_a_refusal_of_something_else_changes_nothing():
    responses = started()
    responses.want()
    assert responses.on_refused("something", active_response=False) is None
    assert responses.want() is None, "the create is still in flight"


def test_the_end_of_a_response_we_do_not_follow_changes_nothing():
    responses = started()
    responses.on_created("r2")
    responses.want()
    assert responses.on_done("r1") is None


def test_there_is_something_to_cancel_only_while_a_response_is_active_or_asked_for():
    responses = started()
    assert responses.active is None
    responses.want()
    assert responses.active == "", "its id is not known yet"
    responses.on_created("r1")
    assert responses.active == "r1"
    responses.on_done("r1")
    assert responses.active is None


def test_r2_13_a_wish_brings_what_is_different_for_its_response():
    assert started().want({"tool_choice": "none"}) == Create("create_1", {"tool_choice": "none"})


def test_r2_13_of_several_wishes_the_newest_with_overrides_wins_whole():
    responses = started()
    responses.on_created("r1")
    responses.want({"instructions": "Old.", "tool_choice": "none"})
    responses.want({"instructions": "New."})
    responses.want()
    assert responses.on_done("r1") == Create("create_1", {"instructions": "New."})


def test_the_servers_own_answer_does_not_fulfil_a_wish_with_overrides():
    responses = started()
    responses.on_speech_started()
    responses.want({"instructions": "Ask for the number."})
    responses.on_speech_stopped()
    responses.on_created("own")
    assert responses.on_done("own") == Create("create_1", {"instructions": "Ask for the number."})


def test_a_refused_create_keeps_its_overrides_even_if_the_active_response_had_everything():
    responses = started()
    create = responses.want({"tool_choice": "none"})
    responses.on_created("own")  # taken for ours, until the refusal comes
    responses.on_refused(create.event_id, active_response=True)
    assert responses.on_done("own") == Create("create_2", {"tool_choice": "none"})


def test_newer_overrides_win_over_those_of_a_refused_create():
    responses = started()
    create = responses.want({"instructions": "Old."})
    responses.want({"instructions": "New."})
    responses.on_refused(create.event_id, active_response=True)
    assert responses.on_done("own") == Create("create_2", {"instructions": "New."})


def test_a_create_that_is_neither_begun_nor_refused_does_not_block_the_next():
    responses = started()
    responses.want()
    assert responses.create_in_flight
    assert responses.on_create_overdue() is None
    assert not responses.create_in_flight
    assert responses.want() == Create("create_2")


def test_what_waited_behind_a_lost_create_goes_out_at_once():
    responses = started()
    responses.want()
    responses.on_item_sent("item")
    responses.want()
    assert responses.on_create_overdue() == Create("create_2")


def test_a_result_that_the_model_has_not_voiced_leads_to_one_more_response():
    responses = started()
    responses.on_created("r1")
    assert responses.on_done("r1", unvoiced=True) == Create("create_1")


@dataclass
class Api:
    """The server, as far as responses go, with messages under way in both directions."""

    client: Responses
    to_server: deque[tuple[str, str]] = field(default_factory=deque)
    to_client: deque[tuple[str, str]] = field(default_factory=deque)
    context: set[str] = field(default_factory=set)
    active: str | None = None
    answered: dict[str, int] = field(default_factory=dict)
    """How many responses began after the item was in the context."""
    begun: int = 0
    seen_begun: int = 0
    seen_begun_at_create: dict[str, int] = field(default_factory=dict)
    seen_active: bool = False
    caller_speaks: bool = False
    numbers: int = 0

    def next_id(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}_{self.numbers}"

    # the client's side

    def send_create(self, create: Create | None) -> None:
        if create:
            event_id = create.event_id
            assert not self.seen_active, "created into a response we had been told of"
            self.seen_begun_at_create[event_id] = self.seen_begun
            self.to_server.append(("create", event_id))

    def wish(self) -> str:
        item_id = self.next_id("item")
        self.client.on_item_sent(item_id)
        self.to_server.append(("item", item_id))
        self.send_create(self.client.want())
        return item_id

    def deliver(self) -> None:
        kind, name = self.to_client.popleft()
        match kind:
            case "added":
                self.client.on_item_added(name)
            case "created":
                self.seen_active = True
                self.seen_begun += 1
                self.client.on_created(name)
            case "done":
                self.seen_active = False
                self.send_create(self.client.on_done(name))
            case "refused":
                self.send_create(self.client.on_refused(name, active_response=True))
            case "started":
                self.client.on_speech_started()
            case "stopped":
                self.send_create(self.client.on_speech_stopped())

    # the server's side

    def process(self) -> None:
        kind, name = self.to_server.popleft()
        if kind == "item":
            self.context.add(name)
            self.to_client.append(("added", name))
        elif self.active:
            self.to_client.append(("refused", name))
        else:
            raced = self.begun > self.seen_begun_at_create[name]
            assert self.context or raced, "a response with nothing new to answer, and no race to excuse it"
            self.begin()

    def begin(self) -> None:
        self.active = self.next_id("response")
        self.begun += 1
        for item in self.context:
            self.answered[item] = self.answered.get(item, 0) + 1
        self.context.clear()
        self.to_client.append(("created", self.active))

    def finish(self) -> None:
        if self.active:
            self.to_client.append(("done", self.active))
            self.active = None

    def speech(self, *, answers: bool) -> None:
        if not self.caller_speaks:
            self.caller_speaks = True
            self.to_client.append(("started", ""))
            self.finish()
            return
        self.caller_speaks = False
        self.to_client.append(("stopped", ""))
        if answers and not self.active:
            self.begin()

    def settle(self) -> None:
        """Let everything under way arrive, until both sides have nothing left to do."""
        if self.caller_speaks:
            self.speech(answers=True)
        for _ in range(1000):
            if self.to_client:
                self.deliver()
            elif self.to_server:
                self.process()
            elif self.active:
                self.finish()
            elif self.client.answer_expected:
                self.send_create(self.client.on_answer_overdue())
            else:
                return
        raise AssertionError("the two never come to rest")


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(["wish", "deliver", "process", "finish", "speech", "mute_speech"]), max_size=60))
def test_every_wish_is_answered_no_create_goes_into_a_response_we_know_of_and_none_is_superfluous(steps: list[str]):
    api = Api(Responses(server_answers=True))
    wishes = []
    for step in steps:
        match step:
            case "wish":
                wishes.append(api.wish())
            case "deliver" if api.to_client:
                api.deliver()
            case "process" if api.to_server:
                api.process()
            case "finish":
                api.finish()
            case "speech" | "mute_speech":
                api.speech(answers=step == "speech")
    api.settle()

    assert api.answered == dict.fromkeys(wishes, 1)
    assert not api.client.active


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=6), st.randoms())
def test_the_calls_of_each_response_lead_to_exactly_one_create(call_counts: list[int], random):
    responses = started()
    creates: list[Create | None] = []
    for number, count in enumerate(call_counts):
        response_id = f"r{number}"
        responses.on_created(response_id)
        steps = [f"{response_id}_{call}" for call in range(count)]
        for call_id in steps:
            responses.on_tool_call(call_id, response_id)
        steps.append("done")
        random.shuffle(steps)
        sent = [
            responses.on_done(response_id) if step == "done" else responses.on_tool_answered(step) for step in steps
        ]
        assert sent[:-1] == [None] * count, "nothing before the last output and the end"
        creates.append(sent[-1])
    assert all(creates)


def test_a_server_that_only_listens_from_now_on_is_not_waited_for():
    responses = Responses(server_answers=True)
    responses.server_answers = False
    responses.on_speech_started()
    assert responses.want() is None
    assert responses.on_speech_stopped()
