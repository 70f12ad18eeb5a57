"""Bad input through every operation that takes its type; the cases are in ``bad_input.json``."""

import copy
import json
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from contract_world import takes_json, tells_too_much

DATA = json.loads((Path(__file__).parent / "bad_input.json").read_text())
ROWS = DATA["rows"]
PROBLEM = "application/problem+json"
TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
SHORT = 8


def written(value):
    """Return a value of the data file, generated ones written out."""
    if isinstance(value, dict) and "begin" in value:
        body = value["begin"] * value["times"] + value.get("middle", "")
        return (
            value.get("prefix", "") + body + value["end"] * value["times"] + value.get("suffix", "")
        )
    if isinstance(value, dict) and "bytes" in value:
        return bytes.fromhex(value["bytes"])
    return value


def kind_of(schema):
    """Return the type of a value as the data file names it."""
    if "enum" in schema:
        return "choice"
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types) - {"null"}
    if types == {"string"}:
        by_format = {"uuid": "uuid", "date": "day", "date-time": "instant", "binary": "file"}
        if schema.get("pattern") == TIME_PATTERN:
            return "time"
        return by_format.get(schema.get("format"), "text")
    names = {"array": "list"}
    return names.get(*2 * tuple(types)) if len(types) == 1 else "any"


def fields(schema, spec, pointer=""):
    """Give (pointer, schema) of every value a body may hold; of lists, their first entry."""
    schema = resolved(schema, spec)
    for name, part in schema.get("properties", {}).items():
        yield f"{pointer}/{name}", resolved(part, spec)
        yield from fields(part, spec, f"{pointer}/{name}")
    if "items" in schema:
        yield f"{pointer}/0", resolved(schema["items"], spec)
        yield from fields(schema["items"], spec, f"{pointer}/0")


def resolved(schema, spec):
    """Follow a reference; a nullable one stands in ``anyOf``."""
    for choice in ("anyOf", "oneOf", "allOf"):
        inner = [part for part in schema.get(choice, ()) if part.get("type") != "null"]
        if len(inner) == 1:
            schema = inner[0]
    if "$ref" in schema:
        return spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def placed(body, pointer, value):
    """Return a body with one value replaced; what is missing on the way is made."""
    body = copy.deepcopy(body)
    steps = pointer.strip("/").split("/")
    last = steps[-1]
    here = body
    for step, following in pairwise(steps):
        here = _entered(here, step, [] if following.isdigit() else {})
    if isinstance(here, list):
        here[:1] = [value]
    else:
        here[last] = value
    return body


def _entered(here, step, empty):
    """Return what stands at a step of the way, made if need be."""
    if isinstance(here, list):
        if not here:
            here.append(empty)
        return here[0]
    if not isinstance(here.get(step), type(empty)):
        here[step] = empty
    return here[step]


class Cases:
    """Every request that a row of the data file asks for."""

    def __init__(self, stack, row):
        self.stack = stack
        self.row = row
        self.values = [written(value) for value in row["values"]]

    def all(self):
        for operation in self.stack.operations:
            for case in getattr(self, "_" + self.row["kind"])(operation):
                yield operation, *case

    def _fields(self, operation):
        if not takes_json(operation):
            return
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for pointer, part in fields(schema, self.stack.spec):
            is_wanted = self.row.get("only", f"{operation['operationId']} {pointer}")
            if is_wanted == f"{operation['operationId']} {pointer}":
                yield pointer, part

    def _right(self, operation):
        from contract_world import example_of

        return example_of(operation, self.stack.city)

    def _body(self, operation):
        for pointer, part in self._fields(operation):
            if kind_of(part) != self.row["type"]:
                continue
            base = {} if self.row.get("alone") else self._right(operation)
            for value in self.values:
                if value is None and "null" in part.get("type", ()):
                    continue
                yield pointer, value, {"body": placed(base, pointer, value)}

    def _literal(self, operation):
        for pointer, part in self._fields(operation):
            if kind_of(part) == self.row["type"]:
                for value in self.values:
                    body = json.dumps(placed(self._right(operation), pointer, "@@"))
                    yield pointer, value, {"raw": body.replace('"@@"', value).encode()}

    def _too_long(self, operation):
        for pointer, part in self._fields(operation):
            if kind_of(part) == "text" and "maxLength" in part:
                for value in self.values:
                    text = value * (part["maxLength"] + 1)
                    yield pointer, text, {"body": placed(self._right(operation), pointer, text)}

    def _extra(self, operation):
        if takes_json(operation):
            for name in self.values:
                body = {**self._right(operation), name: 1}
                yield "body", None, {"body": body}
            for pointer, part in self._fields(operation):
                if "properties" in part:
                    body = placed(self._right(operation), f"{pointer}/is_admin", True)
                    yield pointer, None, {"body": body}

    def _raw(self, operation):
        is_optional = not operation.get("requestBody", {}).get("required", True)
        if not takes_json(operation) or (is_optional and self.row.get("unless_optional")):
            return
        headers = dict(self.row.get("headers", {}))
        if "content_type" in self.row:
            headers["Content-Type"] = self.row["content_type"]
        for value in self.values:
            raw = value if isinstance(value, bytes) else value.encode()
            yield "body", None, {"raw": raw, **headers}

    def _form(self, operation):
        if "requestBody" in operation and not takes_json(operation):
            for name, value in self.values:
                yield name, value, {"form": {name: value}}

    def _query_parameters(self, operation):
        return [one for one in operation["parameters"] if one["in"] == "query"]

    def _query(self, operation):
        for parameter in self._query_parameters(operation):
            name = parameter["name"]
            if kind_of(parameter["schema"]) != self.row["type"]:
                continue
            if name not in self.row.get("only_names", [name]):
                continue
            # A cursor must be ours before anything else is judged of it.
            if name == "cursor" and "only_names" not in self.row and 200 in self.row["status"]:
                continue
            for value in self.values:
                yield name, value, {"query": urlencode({name: value})}

    def _extra_query(self, operation):
        if self._query_parameters(operation):
            for value in self.values:
                yield "query", None, {"query": quote(value, safe="=&[]")}

    def _header(self, operation):
        names = [one["name"] for one in operation["parameters"] if one["in"] == "header"]
        if self.row["header"] in names:
            for value in self.values:
                yield "header", None, {self.row["header"]: value}

    def _authorization(self, operation):
        if operation["x-authz"]["access"] != "public":
            for value in self.values:
                yield "header", None, {"Authorization": value}

    def _token_in_query(self, operation):
        if operation["x-authz"]["access"] != "public":
            token = self.stack.right(operation).someone.token
            for name in self.values:
                yield "query", None, {"query": f"{name}={token}", "Authorization": None}

    def _language(self, operation):
        names = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        if names:
            absent = dict.fromkeys(names, "00000000-0000-7000-8000-000000000000")
            for value in self.values:
                sent = value.encode().decode("latin-1")
                path = self.stack.path(operation, **absent)
                yield "header", None, {"path": path, "Accept-Language": sent}

    def _path(self, operation):
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                for value in self.values:
                    path = self.stack.path(operation, **{parameter["name"]: value})
                    yield parameter["name"], None, {"path": path}


def faults(stack, row, operation, case):
    """Return what is wrong with the answer to one case."""
    place, value, request = case
    answer = stack.call(operation, stack.right(operation), watch=True, **request)
    name = f"{operation['operationId']} {place} {str(value)[:40]!r}: {answer.status_code}"
    if answer.status_code not in row["status"]:
        return [f"{name} {answer.text[:300]}"]
    if answer.status_code < 400:
        return []
    checks = (
        (answer.mimetype == PROBLEM, answer.mimetype),
        (not answer.has_changed, "changed a row"),
        (not tells_too_much(answer), f"tells {tells_too_much(answer)}"),
        (not repeats(answer, value), "repeats what was sent"),
        (answer.headers.get("Cache-Control") == "no-store", "may be cached"),
        (has_code(answer, row), answer.text[:300]),
    )
    return [f"{name} {why}" for is_right, why in checks if not is_right]


def repeats(answer, value):
    return isinstance(value, str) and len(value) >= SHORT and value in answer.text


def has_code(answer, row):
    problem = answer.json
    codes = {fault["code"] for fault in problem.get("errors", ())}
    is_named = problem["code"] in row.get("codes", [problem["code"]])
    return is_named and ("faults" not in row or not codes or bool(codes & set(row["faults"])))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['row']} {row['kind']} {row['name']}")
def test_bad_input_gets_what_it_must(stack, row):
    wrong, sent = [], 0
    for operation, *case in Cases(stack, row).all():
        sent += 1
        wrong += faults(stack, row, operation, case)
    assert sent, "no operation takes this"
    assert wrong == []


def test_every_row_of_the_table_is_somewhere():
    here = {row["row"] for row in ROWS}
    elsewhere = {int(number) for number in (*DATA["elsewhere"], *DATA["not_yet"])}
    assert here | elsewhere == set(range(1, 69))
    assert not here & elsewhere


def test_the_walk_finds_every_kind_of_value(stack):
    found = {
        kind_of(part)
        for operation in stack.operations
        if takes_json(operation)
        for _, part in fields(
            operation["requestBody"]["content"]["application/json"]["schema"], stack.spec
        )
    }
    wanted = {"text", "choice", "uuid", "day", "instant", "time", "integer", "number", "boolean"}
    assert wanted | {"list", "object"} <= found


def test_the_watch_notices_a_changed_row(stack):
    """Negative control: what is accepted does change a row."""
    operation = next(one for one in stack.operations if one["operationId"] == "createOrganisation")
    assert stack.call(operation, stack.city["admin"], watch=True).has_changed
