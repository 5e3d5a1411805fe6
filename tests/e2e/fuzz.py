"""Has schemathesis ask a running server everything that its OpenAPI description allows, and what it does not."""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """\
[cache]
enabled = false

[generation]
database = "none"
allow-x00 = false
{generation}

[phases.stateful]
max-steps = 6
generation.max-examples = {chains}
inference.algorithms = [] # the links that the description has, and no guessed ones

[checks.ignored_auth]
enabled = false # it sends wrong keys, and who guesses is shut out
[checks.positive_data_acceptance] # a cursor may be none of ours, a row may have changed, a rule may be against a call
expected-statuses = ["2xx", "3xx", 400, 403, 404, 409, 410, 412, 429]

[[operations]] # it would revoke the key that all of this is asked with
include-operation-id = "revoke_key"
enabled = false

[[operations]] # Twilio refuses wrong accounts; our own webhooks refuse everybody while no account is set
include-path-regex = "^/twilio/|/v1/twilio/|/connect$"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502, 503]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403, 404, 409, 502, 503]

[[operations]] # what it takes for a valid precondition is not always one
include-path-regex = "^/api/v1/(agents|numbers|config/[^/]*)/[^/]*$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 403, 404, 409, 412, 422, 429]

[[operations]] # a body of the right shape may still make no sense: two tools of one name
include-method = ["POST", "PUT", "PATCH"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403, 404, 409, 412, 422, 429, 502]
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502] # the model's provider refuses a wrong key
{skipped}
"""
_SKIPPED = """
[[operations]]
exclude-path-regex = "{coverage}"
phases.coverage.enabled = false
"""
_PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What became of it."""

    passed: bool
    said: str
    """The report, as a person reads it."""
    answers: Counter[int]
    """How often each status was the answer."""
    succeeded: frozenset[str]
    """The operations that did what they are for at least once, like `GET /api/v1/agents`."""


async def fuzz(
    url: str, key: str, directory: Path, *, examples: int, coverage: str = "", seconds: int | None = None
) -> Fuzzed:
    """Every operation with its examples, with what is just right and just wrong, at random, and in chains along links.

    `coverage` is a pattern of the addresses for which right and wrong are gone through in full, where that is not to
    be all of them. The same requests each time; other ones each time where it is to go on for so many seconds.
    """
    config, told = directory / "schemathesis.toml", directory / "told.ndjson"
    how = "deterministic = true\nno-shrink = true" if seconds is None else ""
    config.write_text(
        _CONFIG.format(
            generation=how, chains=12 * examples, skipped=_SKIPPED.format(coverage=coverage) if coverage else ""
        )
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, "--config-file", str(config), "--no-color",
        "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}", "--checks", "all",
        "--max-examples", str(examples), "--continue-on-failure", "--request-timeout", "10",
        "--report", "ndjson", "--report-ndjson-path", str(told), *(["--max-time", str(seconds)] if seconds else []),
        cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return Fuzzed(process.returncode == 0, said.decode(), *(await asyncio.to_thread(_read, told)))


def _read(told: Path) -> tuple[Counter[int], frozenset[str]]:
    """The answers' statuses, and which operations succeeded."""
    answers: Counter[int] = Counter()
    succeeded = set()
    with told.open() as lines:
        for line in lines:
            recorded = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            cases = recorded.get("cases", {})
            for case_id, exchange in recorded.get("interactions", {}).items():
                status = (exchange.get("response") or {}).get("status_code", 0)
                answers[status] += 1
                if 200 <= status < 400 and case_id in cases:
                    case = cases[case_id]["value"]
                    succeeded.add(f"{case['method']} {case['path']}")
    return answers, frozenset(succeeded)
