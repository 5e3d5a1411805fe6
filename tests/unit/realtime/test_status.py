from itertools import product

from app.realtime.status import SessionStatus, may_move

ENDS = {"disconnected", "expired", "error"}
LEGAL = {("connecting", end) for end in {"active", *ENDS}} | {("active", end) for end in ENDS}


def test_r2_12_a_session_goes_from_connecting_through_active_to_one_of_three_ends_and_nowhere_else():
    assert {status.value for status in SessionStatus} == {"connecting", "active", *ENDS}
    moves = {(a.value, b.value) for a, b in product(SessionStatus, repeat=2) if may_move(a, b)}
    assert moves == LEGAL
