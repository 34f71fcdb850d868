"""What every test may rely on, and what none may leave behind."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes share two cores
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest

from tests.type_checks import install_type_checks

install_type_checks()  # before a module of virtuallab is imported

_CACHE = tempfile.TemporaryDirectory(prefix="virtuallab-cache-")
os.environ["VIRTUALLAB_CACHE"] = _CACHE.name  # tests read no results of older code


def shared_state() -> dict[str, object]:
    """What one test could change for all that follow it in the same process."""
    # Python's own random stream is missing: beartype picks from it which items of a list to check.
    found: dict[str, object] = {
        "numpy's random stream": pickle.dumps(np.random.get_state()),  # noqa: NPY002
    }
    if "torch" in sys.modules:  # the guard itself must not be what imports it
        import torch

        found |= {
            "torch's random stream": torch.get_rng_state().numpy().tobytes(),
            "torch's threads": torch.get_num_threads(),
            "torch's default dtype": torch.get_default_dtype(),
            "torch's determinism": torch.are_deterministic_algorithms_enabled(),
            "torch's gradients": torch.is_grad_enabled(),
        }
    return found


@pytest.fixture(autouse=True)
def _leaves_shared_state_as_it_was() -> Iterator[None]:
    """Fail a test that changes a global setting or draws from a global random stream."""
    before = shared_state()
    yield
    after = shared_state()
    changed = [name for name, value in before.items() if after[name] != value]
    assert not changed, f"this test changed {', '.join(changed)} for those that follow"


@pytest.fixture
def own_random_streams() -> Iterator[None]:
    """Lend the test global random streams, for what can draw from no other: nobody misses them."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    with contextlib.ExitStack() as stack:
        if "torch" in sys.modules:
            import torch

            stack.enter_context(torch.random.fork_rng(devices=[]))
            torch.manual_seed(0)
        yield
    np.random.set_state(state)  # noqa: NPY002
