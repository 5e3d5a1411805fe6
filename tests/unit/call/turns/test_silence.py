"""When nobody says a word."""

from app.call.turns.silence import Silence
from app.conf.models import SilenceConf

TWENTY_S = SilenceConf(reprompt_seconds=20, reprompts=2)


def heard_over(silence: Silence, until_ms: int, *, since_ms: int = 0, quiet: bool = True) -> list[tuple[int, str]]:
    """What is due when, looked at every quarter of a second."""
    moments = range(since_ms, until_ms + 1, 250)
    return [(at_ms, due) for at_ms in moments if (due := silence.on_time(at_ms, quiet=quiet))]


def test_a_caller_who_says_nothing_is_asked_twice_and_then_left():
    assert heard_over(Silence(TWENTY_S), 62_000) == [(20_000, "ask"), (40_250, "ask"), (60_500, "leave")]


def test_without_reprompts_the_first_silence_is_the_last():
    assert heard_over(Silence(SilenceConf(reprompt_seconds=5, reprompts=0)), 6000) == [(5000, "leave")]


def test_the_agents_own_words_begin_the_silence_anew_and_excuse_nobody():
    silence = Silence(TWENTY_S)
    assert heard_over(silence, 20_000) == [(20_000, "ask")]
    assert heard_over(silence, 24_000, since_ms=20_250, quiet=False) == []
    assert heard_over(silence, 44_500, since_ms=24_250) == [(44_250, "ask")]
    assert heard_over(silence, 48_000, since_ms=44_750, quiet=False) == []
    assert heard_over(silence, 70_000, since_ms=48_250) == [(68_250, "leave")]


def test_a_caller_who_was_heard_may_be_silent_from_the_beginning_again():
    silence = Silence(TWENTY_S)
    heard_over(silence, 40_500)
    assert silence.asked == 2
    silence.on_caller()
    assert silence.asked == 0
    assert heard_over(silence, 80_000, since_ms=41_000) == [(61_000, "ask")]


def test_where_the_provider_asks_by_itself_we_do_not():
    silence = Silence(TWENTY_S, asks_after_ms=8000)
    for question in range(2):
        began_ms = question * 12_000
        assert heard_over(silence, began_ms + 8000, since_ms=began_ms) == []
        silence.on_provider_asks()
        assert heard_over(silence, began_ms + 11_750, since_ms=began_ms + 8250, quiet=False) == []
    assert silence.asked == 2
    assert heard_over(silence, 32_000, since_ms=24_000) == [(31_000, "leave")]  # before it would ask once more


def test_a_provider_that_was_quicker_once_more_is_followed_by_the_goodbye():
    silence = Silence(SilenceConf(reprompt_seconds=20, reprompts=0), asks_after_ms=8000)
    silence.on_provider_asks()
    assert heard_over(silence, 3000, quiet=False) == []
    assert silence.on_time(3250, quiet=True) == "leave"


def test_a_provider_that_does_not_keep_its_word_is_stood_in_for():
    assert heard_over(Silence(TWENTY_S, asks_after_ms=30_000), 36_000) == [(35_000, "ask")]
