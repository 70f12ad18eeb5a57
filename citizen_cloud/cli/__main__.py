"""``python -m citizen_cloud.cli``: works where the path of the environment holds a space."""

from citizen_cloud.cli import main

main(prog_name="citizen-cloud")
