"""The page about the health code names operations that exist, and the seven of GB/T 38963."""

import re
from pathlib import Path

import pytest

from citizen_cloud.portal.doors import document

PAGE = (Path(__file__).parents[2] / "docs/health-code.md").read_text()
ROW = re.compile(r"^\| (\S+) [^|]*\| `([A-Z]+) (/\S+)` \| `(\w+)` \|$", re.MULTILINE)
SEVEN = {
    "用户健康信息申报",
    "用户行程申报",
    "用户健康信息查询",
    "健康码调用申请",
    "健康码制码请求",
    "健康码验码请求",
    "用户健康信息纠错",
}


@pytest.fixture(scope="module")
def operations(shared_app):
    return {
        (method.upper(), path): operation["operationId"]
        for path, item in document(shared_app)["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


def test_each_of_the_seven_interfaces_is_answered_by_an_operation(operations):
    rows = ROW.findall(PAGE)
    assert {name for name, *_ in rows} == SEVEN
    assert len({operation for *_, operation in rows}) == len(SEVEN)
    for name, method, path, operation in rows:
        assert operations.get((method, "/api/v1" + path)) == operation, name


def test_every_door_the_page_names_exists(operations):
    named = set(re.findall(r"`(GET|POST|PATCH|DELETE) ?(/[a-z][^ `?]*)", PAGE.replace("\n", " ")))
    assert len(named) > 15
    wrong = {
        (method, path)
        for method, path in named
        if (method, "/api/v1" + re.sub(r"\{id\}", "{place_id}", path)) not in operations
    }
    assert wrong == set()
