"""A small crowd, as `bench/visitors.py` sends in a large one; long, so run by `make soak`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import visitors

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.soak


def test_nobody_sees_the_chat_of_another_and_memory_comes_back(sample_library: Path) -> None:
    seen = visitors.measure(sample_library, visitors=6, questions=2, uploaders=1)

    assert seen.faults == []
    assert seen.memory_ratio <= visitors.BAR_MEMORY
