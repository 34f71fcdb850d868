"""Freed memory is kept for the next training step."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from virtuallab.lab.services.allocator import keep_freed_memory
if {kept}:
    keep_freed_memory()
def step():
    return [np.ones(2**20) for _ in range({blocks})]  # 8 MiB each
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool, blocks: int) -> int:
    """Page faults of five steps of a new process."""
    command = [sys.executable, "-c", FAULTS.format(kept=kept, blocks=blocks)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")
@pytest.mark.parametrize("blocks", [3, 16])
def test_memory_of_a_step_serves_the_next_one(blocks: int) -> None:
    without = faults(kept=False, blocks=blocks)
    assert without > 100
    assert faults(kept=True, blocks=blocks) < without / 5
