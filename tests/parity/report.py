"""`make parity`: each row of what the reference systems can do, with the tests that show it.

A test names its rows: `test_r1_10_server_vad_…` shows R1-10, `test_r0_20_r0_21_…` two of them.
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

ROWS = Path(__file__).with_name("rows.tsv")
_ROW_IN_NAME = re.compile(r"(?<![a-z0-9])r([0-3])_(b?\d+)(?![a-z0-9])")


def rows() -> dict[str, tuple[str, str]]:
    """Each row's id, the later work that brings it (or nothing), and what it is."""
    lines = (line.split("\t") for line in ROWS.read_text().splitlines() if not line.startswith("#"))
    return {row: (later, what) for row, later, what in lines}


def rows_of(test: str) -> set[str]:
    """The rows that a test's name claims."""
    return {f"R{system}-{number.upper()}" for system, number in _ROW_IN_NAME.findall(test.lower())}


def results(junit: Path) -> dict[str, dict[str, bool]]:
    """For each row its tests, and whether each passed."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for case in ElementTree.parse(junit).iter("testcase"):  # noqa: S314 (pytest has just written it)
        name = case.get("name", "").partition("[")[0]
        passed = not any(child.tag in {"failure", "error", "skipped"} for child in case)
        for row in rows_of(name):
            found[row][name] = found[row].get(name, True) and passed
    return found


def main() -> int:
    """Run the tests that name a row, print the table; 1 when a row is open that no later work brings."""
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "parity.xml"
        named = "r0_ or r1_ or r2_ or r3_"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-k", named, f"--junitxml={junit}", *sys.argv[1:]], check=False
        )
        shown = results(junit)
    table = Table("row", "what", "shown by", "result")
    open_rows = []
    for row, (later, what) in rows().items():
        tests = shown.get(row, {})
        if tests:
            passed = all(tests.values())
            first, more = sorted(tests)[0], len(tests) - 1
            table.add_row(row, what, first + (f" (+{more})" if more else ""), "passed" if passed else "FAILED")
        else:
            passed = bool(later)
            table.add_row(row, what, "", f"later: {later}" if later else "OPEN")
        if not passed:
            open_rows.append(row)
    Console(width=200).print(table)
    unknown = sorted(set(shown) - set(rows()))
    print(f"{len(rows()) - len(open_rows)} of {len(rows())} rows; open: {', '.join(open_rows) or 'none'}")  # noqa: T201
    if unknown:
        print(f"tests name rows that do not exist: {', '.join(unknown)}")  # noqa: T201
    return 1 if open_rows or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
