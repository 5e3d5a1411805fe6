"""The API's description is fit for people and for makers of clients."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from app.web.api.description import PREFIX, PROBLEM, describe
from app.web.mount import mount

METHODS = {"get": "read", "head": "read", "post": "write", "put": "write", "patch": "write", "delete": "write"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    app = FastAPI(openapi_url=None, title="Parley", version="1", separate_input_output_schemas=False)
    mount(app)
    return describe(app)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if path.startswith(PREFIX):
                yield f"{method.upper()} {path}", operation


def test_every_operation_says_what_it_is(described: dict[str, Any]):
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(names) == len(set(names)) > 100
    known = {tag["name"] for tag in described["tags"]}
    for place, operation in operations(described):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), place
        assert operation["summary"], place
        assert operation["description"].endswith((".", ":", "`")), place
        assert len(operation["tags"]) == 1, place
        assert set(operation["tags"]) <= known, place


def test_every_operation_names_the_problems_it_may_end_in(described: dict[str, Any]):
    for place, operation in operations(described):
        answers = operation["responses"]
        expected = {"400", "401", "403", "422", "429", "503"} | ({"404"} if "{" in place else set())
        assert expected <= answers.keys(), place
        for status, answer in answers.items():
            assert answer["description"], (place, status)
            if status >= "400":
                assert answer["content"].keys() == {PROBLEM}, (place, status)


def test_every_operation_needs_a_key_with_one_scope_that_is_named(described: dict[str, Any]):
    for place, operation in operations(described):
        [needed] = operation["security"]
        [scope] = needed["key"]
        assert scope in {"read", "write", "calls", "admin"}, place


def test_every_body_has_an_example_that_is_one(described: dict[str, Any]):
    schemas = described["components"]["schemas"]
    for place, operation in operations(described):
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/octet-stream":
                assert body["example"], place
                continue
            schema = body["schema"]
            [name] = [part["$ref"].rsplit("/", 1)[1] for part in [schema, *schema.get("anyOf", [])] if "$ref" in part]
            validator = Draft202012Validator({"$ref": f"#/components/schemas/{name}", **described})
            examples = schema.get("examples") or schemas[name].get("examples") or [of_its_fields(schemas[name])]
            for example in examples:
                assert not [error.message for error in validator.iter_errors(example)], (place, example)


def of_its_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """An example that is put together from those of a body's fields."""
    return {name: field["examples"][0] for name, field in schema["properties"].items() if "examples" in field}


def test_schemas_have_names_that_people_would_give_them(described: dict[str, Any]):
    for name in described["components"]["schemas"]:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), name
        assert not re.search(r"(Input|Output|Model|Body)$", name), name


def test_a_parameter_that_is_left_out_is_no_null(described: dict[str, Any]):
    for place, operation in operations(described):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (place, parameter["name"])
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), (place, parameter["name"])
