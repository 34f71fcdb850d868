"""Training with a backward pass that is written out, and with automatic differentiation.

Run with ``python -m benchmarks.chain``, some three minutes. Two cohorts of the same subjects take
turns on one thread; they differ only in whether their network is a chain
(``virtuallab/subject/network/chain.py``). Writes docs/performance/chain.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from unittest import mock

import torch

from benchmarks.measuring.nets import subjects, training_step
from benchmarks.measuring.tables import parser, show, table
from benchmarks.measuring.turns import Quartiles, calls_in, in_turns
from virtuallab.subject.network.chain import Chain
from virtuallab.subject.subject import Subject

NETS = (
    *("mlp 128-64, 8x8", "knet4 8-16-16, 8x8", "knet4 8-16-16, 28x28"),
    "resnet18 width 4, 8x8",
)
RULES = ("backprop", "feedback_alignment", "information_alignment")
SIZES = (1, 8, 32)
SECONDS, TURNS = 0.1, 9  # of processor time for a turn, and how many


def differentiated_step(everyone: tuple[Subject, ...]) -> Callable[[], None]:
    """As ``training_step``, by automatic differentiation of the whole network."""
    with mock.patch.object(Chain, "of", return_value=None):
        return training_step(everyone)


def repeated(step: Callable[[], None], calls: int) -> None:
    """Train by the steps of one turn."""
    for _ in range(calls):
        step()


def ratio(net: str, rule: str, size: int, seconds: float, turns: int) -> Quartiles:
    """How many times as long a step takes by automatic differentiation."""
    everyone = subjects(net, rule, size)
    steps = [training_step(everyone), differentiated_step(everyone)]
    calls = [calls_in(step, seconds) for step in steps]
    works = [partial(repeated, *each) for each in zip(steps, calls, strict=True)]
    times = in_turns(works, turns, clock=time.process_time) / calls
    return Quartiles.of(times[:, 1] / times[:, 0])


def rows(sizes: Sequence[int], seconds: float, turns: int) -> list[list[str]]:
    """A row for each network and rule."""
    return [
        [net, rule, *(ratio(net, rule, size, seconds, turns).text(2) for size in sizes)]
        for net in NETS
        for rule in RULES
    ]


def main() -> None:
    """Measure every network and rule, and write the table."""
    options = parser(__doc__).parse_args()
    torch.set_num_threads(1)
    sizes = SIZES[:2] if options.quick else SIZES
    seconds, turns = (0.01, 2) if options.quick else (SECONDS, TURNS)
    lines = table(
        ["network", "rule", *(f"S = {size}" for size in sizes)], rows(sizes, seconds, turns)
    )
    show("chain", lines, quick=options.quick)


if __name__ == "__main__":
    main()
