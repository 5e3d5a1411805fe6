"""What a test of the configuration found."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Check(BaseModel):
    """One thing that was tried."""

    name: Annotated[str, Field(description="For programs; it stays what it is.", examples=["key"])]
    ok: bool
    detail: Annotated[str, Field(description="What was found, in words, without any secret.")]


class TestResult(BaseModel):
    """What was found: `ok` when every check is. A test that finds a fault is no error of the request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"ok": True, "checks": [{"name": "key", "ok": True, "detail": "OpenAI accepts the key"}]}]
        }
    )

    ok: bool
    checks: list[Check]


def result(checks: list[Check]) -> TestResult:
    """All of them as one answer."""
    return TestResult(ok=all(check.ok for check in checks), checks=checks)
