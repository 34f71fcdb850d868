"""A population beside a loop of plain modules: microseconds of one training step of one subject.

Run with ``python benchmarks/population.py``. Everything is measured in this one run on one thread:
the speed of a large matrix product (the machine's limit), a loop of ordinary torch modules with
backpropagation and ``torch.optim.SGD``, and cohorts of several sizes. Loop and cohort take turns,
and the ratio is the median over turns, so that a busy machine disturbs both alike. Quote ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import nn

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.initialization import forward_network
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

NETS: dict[str, tuple[str, dict[str, Any], str]] = {
    "convs 8-16-16, 8x8": ("knet4", {"normalisation": "none"}, "digits"),
    "convs 16-32-32, 8x8": (
        "knet4",
        {"channels": (16, 32, 32), "normalisation": "none"},
        "digits",
    ),
    "knet4 8-16-16, 8x8": ("knet4", {}, "digits"),
    "knet4 16-32-32, 8x8": ("knet4", {"channels": (16, 32, 32)}, "digits"),
    "mlp 128-64, 8x8": ("mlp", {}, "digits"),
    "knet4 8-16-16, 28x28": ("knet4", {}, "mnist_5k"),
}
RULE_NAMES = ("backprop", "feedback_alignment", "information_alignment")


def subject(net: str, rule: str, number: int) -> Subject:
    architecture, settings, task = NETS[net]
    return Subject(
        architecture=ARCHITECTURES[architecture](**settings),
        task=TASKS[task](),
        rule=RULES[rule](),
        optimizer=OPTIMIZERS["sgd"](learning_rate=1e-3),
        label=rule,
        batch_size=32,
        steps=100,
        replicate=number,
        seed=0,
    )


def seconds_of(work: Callable[[], object], least: float) -> float:
    """Mean time of one call, over enough calls to fill ``least`` seconds."""
    began, times = time.perf_counter(), 0
    while times < 2 or time.perf_counter() - began < least:
        work()
        times += 1
    return (time.perf_counter() - began) / times


def sgemm_gigaflops() -> float:
    a = torch.randn(1024, 1024)
    return max(2 * 1024**3 / seconds_of(lambda: a @ a, 0.1) / 1e9 for _ in range(5))


def plain_step(net: str) -> Callable[[], None]:
    """One step of one ordinary module, which a loop over subjects repeats."""
    one = subject(net, "backprop", 0)
    module, images = forward_network(one), one.task.train()
    optimizer = torch.optim.SGD(module.parameters(), 1e-3, momentum=0.9)
    order = torch.randperm(len(images.labels))[:32]

    def step() -> None:
        loss = nn.functional.cross_entropy(module(images.stimuli[order]), images.labels[order])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimizer.step()

    return step


def cohort_step(net: str, rule: str, size: int) -> Callable[[], None]:
    trainer = CohortTrainer(
        Cohort(tuple(subject(net, rule, n) for n in range(size))), torch.float32, "cpu"
    )
    batches, steps = trainer.batches(), count()
    return lambda: trainer.training_step(*next(batches), next(steps))


def paired(net: str, rule: str, size: int, turns: int) -> tuple[float, float]:
    """Microseconds of a subject's step in a cohort, and how many times as long the loop takes."""
    loop, cohort = plain_step(net), cohort_step(net, rule, size)
    loop(), cohort()
    times = np.array([(seconds_of(loop, 0.05), seconds_of(cohort, 0.1)) for _ in range(turns)])
    return float(np.median(times[:, 1])) / size * 1e6, float(
        np.median(times[:, 0] / times[:, 1])
    ) * size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 8, 32, 64])
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"sgemm 1024: {sgemm_gigaflops():.0f} GFLOP/s on one thread; batch 32")
    print("microseconds of a subject's step (plain loop of backpropagation takes so many times it)")
    print(f"{'net':22} {'rule':22} " + " ".join(f"{f'S={s}':>15}" for s in options.sizes))
    for net in options.nets:
        for rule in RULE_NAMES:
            cells = (paired(net, rule, size, options.turns) for size in options.sizes)
            text = " ".join(f"{each:7.0f} ({ratio:4.1f}x)" for each, ratio in cells)
            print(f"{net:22} {rule:22} {text}", flush=True)


if __name__ == "__main__":
    main()
