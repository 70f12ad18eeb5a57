"""What stands in the log, and what never does."""

import json

import pytest
import structlog

from citizen_cloud import log

SECRETS = ("+8613900001234", "11010519491231002X", "493027")


@pytest.fixture
def written(capsys):
    """Log once and return the line as text."""
    before = structlog.get_config()

    def write(**facts):
        log.configure()
        structlog.get_logger("test").error("unhandled", **facts)
        return capsys.readouterr().err

    yield write
    structlog.configure(**before)


def failing(phone, number):
    sent = {"code": SECRETS[2], "document_number": number}
    try:
        return int(number)
    except ValueError as error:
        message = f"cannot use {sent} of {phone}"
        raise LookupError(message) from error


def test_an_error_is_logged_by_type_and_place_without_words_or_variables(written):
    with pytest.raises(LookupError) as raised:
        failing(*SECRETS[:2])
    line = written(exc_info=raised.value, trace_id="4bf92f35")
    assert not [secret for secret in SECRETS if secret in line]
    logged = json.loads(line)
    assert [one["type"] for one in logged["exception"]] == ["LookupError", "ValueError"]
    assert logged["exception"][0]["frames"][-1].endswith(" failing")
    assert (logged["event"], logged["trace_id"]) == ("unhandled", "4bf92f35")
    assert line.count("\n") == 1


def test_an_error_that_causes_itself_ends(written):
    error = ValueError("one")
    error.__cause__ = error
    assert len(json.loads(written(exc_info=error))["exception"]) == log.MOST_CAUSES


def test_members_named_like_secrets_are_blanked_and_lines_stay_whole(written):
    line = written(phone=SECRETS[0], code=SECRETS[2], note="a\nb\r\x1b[31m")
    assert not [secret for secret in SECRETS if secret in line]
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert json.loads(line)["phone"] == "[redacted]"
