"""The OpenAPI document: valid, complete, bounded everywhere, and the one that is committed."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from contract_world import METHODS, operations
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from citizen_cloud.cli.openapi import documents, written
from citizen_cloud.portal.doors import document
from citizen_cloud.portal.state import HOST
from citizen_cloud.web.problems import register

ROOT = Path(__file__).parents[2]
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def spec(shared_app):
    return json.loads(written(document(shared_app)))


@pytest.fixture(scope="module")
def every(spec):
    return operations(spec)


def schemas_of(operation):
    """Give every (place, schema) an operation shows, parameters first."""
    for parameter in operation["parameters"]:
        yield f"{parameter['in']} {parameter['name']}", parameter["schema"]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"body {media}", content["schema"]
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {}).items():
            if "json" in media:
                yield f"{status} {media}", content["schema"]


def whole(schema, spec):
    """Return a schema that resolves its references by itself."""
    return {**schema, "components": spec["components"]}


def faults(instance, schema, spec):
    checker = Draft202012Validator.FORMAT_CHECKER
    found = Draft202012Validator(whole(schema, spec), format_checker=checker)
    return [f"{error.json_path}: {error.message}" for error in found.iter_errors(instance)]


def test_the_document_is_valid_openapi_3_1(spec):
    assert spec["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []


def test_every_door_under_the_api_is_documented(shared_app, spec):
    documented = {(one["method"], one["path"]) for one in operations(spec)}
    for rule in shared_app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule.rule)
        if path.startswith("/api/"):
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                assert (method.lower(), path) in documented, f"{method} {rule}"


def test_every_operation_says_what_it_is(every):
    for operation in every:
        name = f"{operation['method']} {operation['path']}"
        for member in ("operationId", "summary", "description", "tags", "responses"):
            assert operation.get(member), f"{name} lacks {member}"
        for member in ("security", "x-authz"):
            assert member in operation, f"{name} lacks {member}"
        assert len(operation["summary"]) <= 80, name
        assert len(operation["tags"]) == 1, name


def test_operation_ids_are_unique(every):
    ids = Counter(operation["operationId"] for operation in every)
    assert [name for name, times in ids.items() if times > 1] == []


def test_every_tag_is_described(spec, every):
    described = {tag["name"] for tag in spec["tags"] if tag.get("description")}
    assert {tag for operation in every for tag in operation["tags"]} <= described


def test_security_agrees_with_the_mark(every):
    for operation in every:
        is_public = operation["x-authz"]["access"] == "public"
        assert operation["security"] == ([] if is_public else [{"bearer": []}])
        documented = set(operation["responses"])
        assert is_public or {"401", "403"} <= documented, operation["operationId"]


def test_every_refusal_is_documented_as_a_problem(every):
    for operation in every:
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            place = f"{operation['operationId']} {status}"
            assert set(response["content"]) == {PROBLEM}, place
            schema = response["content"][PROBLEM]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, place


def test_every_operation_documents_what_its_shape_implies(every):
    for operation in every:
        documented, name = set(operation["responses"]), operation["operationId"]
        assert {"400", "500", "503"} <= documented, name
        if any(parameter["in"] == "path" for parameter in operation["parameters"]):
            assert "404" in documented, name
        if "requestBody" in operation:
            assert {"408", "413", "415", "422"} <= documented, name


def test_every_problem_code_of_the_document_has_a_page(every, client):
    known = register()
    for operation in every:
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                codes = response["description"].partition(": ")[2].split(", ")
                for code in (code.strip("`") for code in codes):
                    assert code in known, f"{operation['operationId']} {code}"
                    page = client.get(f"/problems/{code}")
                    assert page.status_code == 200
                    assert f"<code>{code}</code>" in page.text


def test_every_example_is_right(spec, every):
    wrong = []
    for operation in every:
        for place, schema, content in with_examples(operation):
            shown = [content["example"]] if "example" in content else []
            shown += [each["value"] for each in content.get("examples", {}).values()]
            assert shown, f"{operation['operationId']} {place} has no example"
            wrong += [
                f"{operation['operationId']} {place} {fault}"
                for example in shown
                for fault in faults(example, schema, spec)
            ]
    assert wrong == []


def with_examples(operation):
    """Give every (place, schema, holder of the example); multipart bodies hold files."""
    for parameter in operation["parameters"]:
        holder = parameter if "example" in parameter else parameter["schema"]
        yield parameter["name"], parameter["schema"], holder
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if media == "application/json":
            yield "body", content["schema"], content
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {}).items():
            if "json" in media:
                yield status, content["schema"], content


def test_answers_may_grow(spec, every):
    """A field added to an answer later must not break a strict client."""
    for operation in every:
        for place, schema in schemas_of(operation):
            if place[:1].isdigit():
                assert not closed(schema, spec, set()), f"{operation['operationId']} {place}"


def closed(schema, spec, seen):
    if isinstance(schema, list):
        return any(closed(part, spec, seen) for part in schema)
    if not isinstance(schema, dict):
        return False
    reference = schema.get("$ref")
    if reference in seen:
        return False
    if reference:
        seen.add(reference)
        return closed(spec["components"]["schemas"][reference.rpartition("/")[2]], spec, seen)
    if schema.get("additionalProperties") is False:
        return True
    return any(closed(part, spec, seen) for key, part in schema.items() if key != "example")


def test_nothing_is_unbounded(spec, every):
    found = [
        f"{operation['operationId']} {place}{fault}"
        for operation in every
        for place, schema in schemas_of(operation)
        for fault in unbounded(schema, spec, "", ())
    ]
    assert sorted(set(found)) == []


FIXED = {"uuid", "date", "date-time"}
CHOICES = ("anyOf", "oneOf", "allOf")


def unbounded(schema, spec, path, seen):
    """Give the places of a schema where a value may be of any size."""
    reference = schema.get("$ref")
    if reference in seen:
        return
    if reference:
        target = spec["components"]["schemas"][reference.rpartition("/")[2]]
        yield from unbounded(target, spec, path, (*seen, reference))
        return
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    yield from (f"{path} {fault}" for fault in sizes(schema, types))
    for step, part in parts(schema):
        yield from unbounded(part, spec, path + step, seen)


def parts(schema):
    yield from (("", part) for kind in CHOICES for part in schema.get(kind, ()))
    yield from ((f"/{name}", part) for name, part in schema.get("properties", {}).items())
    if "items" in schema:
        yield "[]", schema["items"]
    if schema.get("additionalProperties"):
        yield "/*", schema["additionalProperties"]


def sizes(schema, types):
    has = schema.keys().__contains__
    is_text = "string" in types and schema.get("format") not in FIXED | {"binary"}
    rules = (
        ("has no type", not types and not any(map(has, (*CHOICES, "enum")))),
        ("is text without maxLength", is_text and not (has("maxLength") or has("enum"))),
        (
            "is a number without minimum and maximum",
            types & {"integer", "number"} and not (has("minimum") and has("maximum")),
        ),
        ("is a list without maxItems", "array" in types and not (has("maxItems") and has("items"))),
        (
            "is an object without properties or maxProperties",
            "object" in types and not (has("properties") or has("maxProperties")),
        ),
    )
    return [fault for fault, is_so in rules if is_so]


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "string"},
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": {"type": "boolean"}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "array", "maxItems": 1, "items": {"type": "number", "maximum": 1}},
        {},
    ],
)
def test_the_lint_notices_what_is_unbounded(broken):
    assert list(unbounded(broken, {}, "", ()))


def test_no_identity_number_or_phone_travels_in_an_address(every):
    for operation in every:
        for parameter in operation["parameters"]:
            if parameter["in"] in ("path", "query"):
                name = parameter["name"]
                assert not any(word in name for word in ("document", "phone", "token", "secret"))


def test_methods_are_the_usual_ones(spec):
    for item in spec["paths"].values():
        assert set(item) - {"parameters"} <= METHODS


def test_the_committed_documents_are_fresh(shared_app):
    wanted = documents(shared_app)
    folder = ROOT / "openapi"
    assert {path.stem for path in folder.glob("*.json")} == set(wanted)
    for name, content in wanted.items():
        assert (folder / f"{name}.json").read_text() == written(content), (
            f"openapi/{name}.json is stale: run ./scripts/export-openapi"
        )


def test_each_module_has_a_whole_document_of_its_own(shared_app):
    wanted = documents(shared_app)
    for module in shared_app.extensions[HOST].modules:
        spec = json.loads(written(wanted[module]))
        assert [str(error) for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []
        assert operations(spec)
