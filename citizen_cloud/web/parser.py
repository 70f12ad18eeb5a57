"""Read requests strictly: what is ambiguous is refused, not guessed."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import Request, g
from marshmallow import Schema, ValidationError
from webargs import fields as _fields  # noqa: F401 - registers webargs' own marshmallow fields
from webargs.flaskparser import FlaskParser

from citizen_cloud.errors import Invalid, Malformed
from citizen_cloud.text import Text
from citizen_cloud.web.refusals import UnsupportedMediaType

DEEPEST = 32
LONGEST_NUMBER = 40
MOST_QUERY_PARAMETERS = 50
MULTIPART = "multipart/form-data"
# Not part of any schema: the gate reads it, at doors marked ``acts_for``.
ON_BEHALF_OF = "on_behalf_of"
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class JsonTooDeep(Malformed):
    """Objects and lists are nested deeper than any operation needs."""

    code = "json_too_deep"
    title = Text("JSON 嵌套过深", "JSON nested too deep")
    detail = Text("JSON 嵌套层数超过限制。", "The JSON is nested deeper than is read.")


class DuplicateKey(Malformed):
    """A name stands twice, in an object or in the query."""

    code = "duplicate_key"
    title = Text("字段重复", "Duplicate name")
    detail = Text("同一字段出现多次。", "The same name is given more than once.")


class NotUtf8(Malformed):
    """JSON is UTF-8 (RFC 8259)."""

    code = "not_utf8"
    title = Text("编码不是 UTF-8", "Not UTF-8")
    detail = Text("JSON 内容须为不带 BOM 的 UTF-8 编码。", "JSON must be UTF-8 without a BOM.")


class NumberTooLong(Malformed):
    """A number has more digits than any field holds."""

    code = "number_too_long"
    title = Text("数字过长", "Number too long")
    detail = Text("数字位数超过限制。", "A number has more digits than is read.")


def loads(raw: bytes) -> Any:
    """Parse JSON, refusing duplicate names, NaN, endless numbers, depth and other encodings."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8 from error
    if text.startswith("\ufeff"):
        raise NotUtf8
    _check_depth(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except ValueError as error:
        raise Malformed from error


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > DEEPEST:
            raise JsonTooDeep


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateKey
    return members


def _no_constant(name: str) -> NoReturn:
    raise Malformed(constant=name)


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise NumberTooLong
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise NumberTooLong
    return float(digits)


class Parser(FlaskParser):
    """webargs' parser with strict loading and problems as errors."""

    # The schema decides, also for the query: webargs would drop unknown names silently.
    DEFAULT_UNKNOWN_BY_LOCATION = {}  # noqa: RUF012 - declared so by webargs

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read a JSON body; another media type is 415, an empty one 400 unless it may be absent."""
        raw = req.get_data(cache=True)
        if not raw and getattr(schema, "may_be_absent", False):
            return {}
        if not req.is_json:
            raise UnsupportedMediaType
        if not raw:
            raise Malformed
        return loads(raw)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Read the query; a repeated name is refused."""
        del schema
        members = single(req.args)
        if g.get("takes_on_behalf_of"):
            members.pop(ON_BEHALF_OF, None)
        return members

    def load_multipart(self, req: Request, schema: Schema) -> Any:
        """Read form fields and files together."""
        del schema
        if req.mimetype != MULTIPART:
            raise UnsupportedMediaType
        files = single(req.files)
        form = single(req.form)
        if files.keys() & form.keys():
            raise DuplicateKey
        return {**form, **files}

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Turn marshmallow's messages into pointers and codes."""
        del req, schema, error_status_code, error_headers
        messages = error.messages_dict
        raise Invalid(errors=list(faults(next(iter(messages.values()), {}))))


Parser.__location_map__ = {**FlaskParser.__location_map__, "multipart": "load_multipart"}


def single(values: Any) -> dict[str, Any]:
    """Return form or query values by name. Raises ``DuplicateKey``, or ``Malformed`` for many."""
    pairs = list(values.items(multi=True))
    if len(pairs) > MOST_QUERY_PARAMETERS:
        raise Malformed
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateKey
    return members


def check_names(values: Mapping[str, Any], *known: str) -> None:
    """Refuse names that nobody declared, as a schema does (``Invalid``)."""
    unknown = values.keys() - set(known)
    if unknown:
        raise Invalid(errors=list(faults({name: ["unknown_field"] for name in sorted(unknown)})))


def faults(messages: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Give what a schema found wrong, each value by its JSON Pointer."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            step = "" if key == "_schema" else "/" + _escape(str(key))
            yield from faults(below, (pointer + step)[:300])
    elif isinstance(messages, list):
        for message in messages:
            if isinstance(message, Mapping | list):
                yield from faults(message, pointer)
            else:
                yield {"pointer": pointer, "code": str(message)}
    else:
        yield {"pointer": pointer, "code": str(messages)}


def _escape(key: str) -> str:
    """Escape a JSON Pointer step (RFC 6901); a made-up name may hold half a character."""
    plain = key.encode("utf-8", "replace").decode()
    return plain.replace("~", "~0").replace("/", "~1")
