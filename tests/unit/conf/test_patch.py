from app.conf.models import AgentConf
from app.conf.patch import merged


def test_the_examples_of_the_rfc_hold():
    # RFC 7396, appendix A
    for target, patch, result in (
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ):
        assert merged(target, patch) == result


def test_null_is_set_where_a_field_knows_it_and_the_target_stays_as_it_was():
    target = {"voice": "cedar", "recording": {"retention_days": 9}}
    patch = {"voice": None, "noise_reduction": None, "recording": {"transcription": None}}
    assert merged(target, patch, AgentConf) == {
        "noise_reduction": None,
        "recording": {"retention_days": 9, "transcription": None},
    }
    assert target == {"voice": "cedar", "recording": {"retention_days": 9}}
