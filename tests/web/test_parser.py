import pytest

from citizen_cloud.errors import Malformed
from citizen_cloud.web.parser import (
    DEEPEST,
    DuplicateKey,
    JsonTooDeep,
    NotUtf8,
    NumberTooLong,
    loads,
)


def test_plain_json_is_read():
    assert loads('{"a": [1, 2.5, "好", null, true]}'.encode()) == {"a": [1, 2.5, "好", None, True]}


@pytest.mark.parametrize("depth", [DEEPEST + 1, 1_000, 100_000])
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_deep_nesting_is_refused_before_it_is_parsed(depth, bracket):
    opened = bracket[0] if bracket == "[]" else '{"a":'
    with pytest.raises(JsonTooDeep):
        loads((opened * depth + "1" + bracket[1] * depth).encode())


def test_brackets_inside_strings_do_not_count():
    assert loads(('["' + "[" * 500 + '\\"{{"]').encode())[0].startswith("[[")


def test_allowed_depth_is_read():
    assert loads(("[" * DEEPEST + "]" * DEEPEST).encode()) is not None


@pytest.mark.parametrize("body", ['{"a":1,"a":2}', '{"x":{"b":1,"b":1}}'])
def test_a_name_given_twice_is_refused(body):
    with pytest.raises(DuplicateKey):
        loads(body.encode())


@pytest.mark.parametrize("body", ["9" * 5_000, "1." + "9" * 5_000, "-" + "1" * 41])
def test_endless_numbers_are_refused(body):
    with pytest.raises(NumberTooLong):
        loads(body.encode())


@pytest.mark.parametrize("body", ["NaN", "Infinity", "-Infinity", "{", "", "'a'", '{"a":}'])
def test_what_is_not_json_is_refused(body):
    with pytest.raises(Malformed):
        loads(body.encode())


@pytest.mark.parametrize(
    "body",
    ['{"a":"好"}'.encode("utf-16"), '{"a":"好"}'.encode("gb18030"), b"\xef\xbb\xbf{}", b"\xff"],
)
def test_other_encodings_are_named(body):
    with pytest.raises(NotUtf8):
        loads(body)


@pytest.mark.parametrize("path", ["/api/v1/masks/campaigns", "/nowhere"])
def test_a_query_of_raw_bytes_that_are_no_utf8_is_the_callers_fault(client, path):
    answer = client.get(path, environ_overrides={"QUERY_STRING": "district=\xff"})
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # As a terminal sends what somebody typed.
    typed = {"QUERY_STRING": "district=药".encode().decode("latin-1")}
    assert client.get(path, environ_overrides=typed).status_code in (404, 422)
