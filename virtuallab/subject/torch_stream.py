"""Torch's global random stream, for library functions that draw from no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_LOCK = threading.Lock()  # threads share the stream


@contextmanager
def global_stream(seed: int) -> Iterator[None]:
    """Seed torch's global stream inside the block, for one thread at a time, and restore it after.

    Parameters
    ----------
    seed : int
    """
    with _LOCK, torch.random.fork_rng(devices=[]):
        # `torch.manual_seed` would also seed the devices, and format a traceback for each call.
        torch.default_generator.manual_seed(seed)
        yield
