"""Masks tests begin with no page remembered."""

import masks_world
import pytest


@pytest.fixture(autouse=True)
def _no_pages():
    masks_world.forget_pages()
