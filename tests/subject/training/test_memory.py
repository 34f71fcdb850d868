"""Memory of training steps, which must be freed without garbage collection.

Python collects reference cycles by the number of objects, not by their size, so that tensors in
cycles would fill the memory within an epoch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from tests.subject.cohorts import subject, trainer_of
from virtuallab.registry import RULES

KINDS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in RULES),
    ("weight_mirror", {"activity": "own", "alternate": 0}),
]
CASES = [
    (net, *kind)
    for kind in KINDS
    for net in ("mlp", "knet4")
    if net == "mlp" or not RULES[kind[0]].dense_only
]


@contextmanager
def garbage_collection_disabled() -> Iterator[None]:
    """Disable the garbage collector inside the block, and hide from it what exists before."""
    gc.freeze()  # counting through all objects of a test process would take a second
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def count_tensors() -> int:
    """Number of tensors and nodes of autograd's graph that were made inside the block."""
    # With type(), since isinstance() imports the modules of some lazy objects of torch.
    return sum(issubclass(type(each), (Tensor, BackwardCFunction)) for each in gc.get_objects())


def test_a_tensor_in_a_cycle_is_counted() -> None:
    with garbage_collection_disabled():
        before = count_tensors()
        tensor = torch.zeros(3)
        tensor.itself = tensor  # type: ignore[attr-defined]
        del tensor
        assert count_tensors() == before + 1


@pytest.mark.parametrize(("net", "name", "settings"), CASES)
def test_no_tensor_needs_the_garbage_collector(
    net: str, name: str, settings: dict[str, Any]
) -> None:
    trainer = trainer_of(
        *(subject(name, net, number, rule_settings=settings) for number in range(2))
    )
    batches = trainer.batches()
    with garbage_collection_disabled():
        for step in range(2):
            trainer.training_step(*next(batches), step)
        trainer.visit(2, 2)
        before = count_tensors()
        for step in (2, 3, 4):
            trainer.training_step(*next(batches), step)
        stepped = count_tensors()
        trainer.visit(3, 5)
        visited = count_tensors()
    assert (stepped, visited) == (before, before)
