"""Folders the engines' user can enter, one set of servers to share, and runs to kill."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_runs import Run, alive_in, poll

from citizen_cloud.embedded import Engines


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a space in its name that every user can enter."""
    yield from _folder()


@pytest.fixture(scope="session")
def shared_folder() -> Iterator[Path]:
    """Return such a folder for the whole run."""
    yield from _folder()


def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="two words ", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def engines(shared_folder: Path) -> Iterator[Engines]:
    """Run one set of servers for every test that does not harm them."""
    with Engines(shared_folder / "var") as running:
        yield running


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[[], Run]]:
    """Return a way to start runs on the same ``var``; none survives the test."""
    started: list[Run] = []

    def start() -> Run:
        started.append(Run(folder / "var"))
        return started[-1]

    yield start
    for each in started:
        each.close()
    poll(lambda: not alive_in(folder))
