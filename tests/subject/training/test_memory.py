"""A step leaves nothing behind that only a garbage collection would free.

Tensors in a reference cycle live until Python happens to collect, which counts objects and not
bytes: a cohort of twenty would fill a machine's memory within an epoch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
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
def uncollected() -> Iterator[None]:
    """Start clean, and keep the garbage collector away."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive() -> int:
    """How many tensors and pieces of autograd's graph Python holds now."""
    # By type(): isinstance() asks some lazy objects of torch for their class, and they complain.
    return sum(issubclass(type(each), (Tensor, BackwardCFunction)) for each in gc.get_objects())


@pytest.mark.parametrize(("net", "name", "settings"), CASES)
def test_no_tensor_waits_for_the_garbage_collector(
    net: str, name: str, settings: dict[str, Any]
) -> None:
    trainer = trainer_of(
        *(subject(name, net, number, rule_settings=settings) for number in range(2))
    )
    batches = trainer.batches()
    with uncollected():
        for step in range(2):
            trainer.training_step(*next(batches), step)
        trainer.visit(2, 2)
        before = alive()
        for step in (2, 3, 4):
            trainer.training_step(*next(batches), step)
        learned = alive()
        trainer.visit(3, 5)
        visited = alive()
    assert (learned, visited) == (before, before)
