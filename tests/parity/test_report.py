"""The table of parity tells what the tests show, no more."""

from pathlib import Path

from tests.parity.report import results, rows, rows_of


def test_a_tests_name_tells_its_rows():
    assert rows_of("test_r1_10_server_vad_keeps_every_field") == {"R1-10"}
    assert rows_of("test_r0_20_r0_21_type_and_model") == {"R0-20", "R0-21"}
    assert rows_of("test_r3_b1_an_unknown_tool") == {"R3-B1"}
    assert rows_of("test_for_r12_and_car3_4") == set()


def test_a_row_counts_only_when_all_its_tests_passed(tmp_path: Path):
    junit = tmp_path / "junit.xml"
    junit.write_text(
        '<testsuites><testsuite><testcase name="test_r0_1_a[x]"/><testcase name="test_r0_1_a[y]"><failure/></testcase>'
        '<testcase name="test_r0_2_b"/><testcase name="test_r0_3_c"><skipped/></testcase></testsuite></testsuites>'
    )
    assert results(junit) == {
        "R0-1": {"test_r0_1_a": False}, "R0-2": {"test_r0_2_b": True}, "R0-3": {"test_r0_3_c": False},
    }  # fmt: skip


def test_every_row_of_the_four_systems_is_listed_once():
    assert len(rows()) == 161
    assert {"R0-49", "R1-50", "R2-17", "R3-41", "R3-B4"} <= set(rows())
