"""``citizen-cloud modules switch`` answers mistakes in words, before it asks a database."""

import pytest
from click.testing import CliRunner

from citizen_cloud.cli.modules import command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "off", "--reason", "maintenance"], "no module nowhere is installed"),
        (["masks", "off", "--reason", "  "], "say why"),
        (["masks", "ajar", "--reason", "maintenance"], "is not one of"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_in_words(arguments, said):
    answer = CliRunner().invoke(command, ["switch", *arguments])
    assert answer.exit_code != 0
    assert said in answer.output
    assert "Traceback" not in answer.output
