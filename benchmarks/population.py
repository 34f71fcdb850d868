"""A population beside a loop of plain modules: microseconds of one training step of one subject.

Run with ``python benchmarks/population.py``. Everything is measured in this one run on one thread:
the speed of a large matrix product (the machine's limit), a loop of ordinary torch modules with
autograd and ``torch.optim.SGD``, and cohorts of several sizes. Quote ratios, not times.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.birth import forward_network
from virtuallab.subject.sizing import trial_steps
from virtuallab.subject.subject import Subject

NETS = {
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


def seconds_of(work: Callable[[], None], least: float = 0.3) -> float:
    work()
    began, times = time.perf_counter(), 0
    while times < 3 or time.perf_counter() - began < least:
        work()
        times += 1
    return (time.perf_counter() - began) / times


def sgemm_gigaflops() -> float:
    a = torch.randn(1024, 1024)
    return 2 * 1024**3 / seconds_of(lambda: a @ a) / 1e9


def plain_loop(net: str) -> float:
    """One step of one ordinary module, which a loop over subjects repeats."""
    one = subject(net, "backprop", 0)
    module, images = forward_network(one), one.task.train()
    optimizer = torch.optim.SGD(module.parameters(), 1e-3, momentum=0.9)
    order = torch.randperm(len(images.labels))[:32]

    def step() -> None:
        loss = nn.functional.cross_entropy(module(images.stimuli[order]), images.labels[order])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return seconds_of(step)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 8, 32, 64])
    sizes = parser.parse_args().sizes
    torch.set_num_threads(1)
    print(f"sgemm 1024: {sgemm_gigaflops():.0f} GFLOP/s on one thread; batch 32")
    print(
        f"{'net':22} {'rule':22} {'plain loop':>11} " + " ".join(f"{f'S={s}':>16}" for s in sizes)
    )
    for net in NETS:
        loop = plain_loop(net)
        for rule in RULE_NAMES:
            cells = []
            for size in sizes:
                each = trial_steps([subject(net, rule, number) for number in range(size)])
                cells.append(f"{each * 1e6:7.0f} ({loop / each:4.1f}x)")
            print(f"{net:22} {rule:22} {loop * 1e6:8.0f} us " + " ".join(f"{c:>16}" for c in cells))


if __name__ == "__main__":
    main()
