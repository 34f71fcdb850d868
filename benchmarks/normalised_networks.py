"""Populations of normalised networks beside a loop of plain modules, per step of a subject.

Run with ``python benchmarks/normalised_networks.py``, some two minutes. The networks are a small
residual network with batch normalisation and a KNet4 with local response normalisation. A cohort
under backpropagation and a loop over as many ordinary torch modules with ``torch.optim.SGD`` take
turns on one thread, a step of each subject at a time. Times are of the processor, so that other
work on the machine disturbs both alike; the ratio is given with its quartiles over turns. Quote
ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network.initialization import forward_network
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer


class _Block(nn.Module):
    """Two convolutions with batch normalisation, added to a projection of the input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        changed = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(changed + self.norm3(self.shortcut(x)))


@dataclass(frozen=True, kw_only=True)
class _SmallResNet(Architecture):
    """Residual network of three blocks, with 8, 16 and 32 channels."""

    name: ClassVar[str] = "small_resnet"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(stimulus_shape[0], 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            _Block(8, 8, 1),
            _Block(8, 16, 2),
            _Block(16, 32, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, classes),
        )


NETS: dict[str, tuple[Architecture, str]] = {
    "resnet 8-16-32, batch norm, 8x8": (_SmallResNet(), "digits"),
    "resnet 8-16-32, batch norm, 28x28": (_SmallResNet(), "mnist_5k"),
    "knet4 8-16-16, local response, 8x8": (
        ARCHITECTURES["knet4"](normalisation="local_response"),
        "digits",
    ),
    "knet4 8-16-16, local response, 28x28": (
        ARCHITECTURES["knet4"](normalisation="local_response"),
        "mnist_5k",
    ),
}


def subjects(net: str, size: int) -> tuple[Subject, ...]:
    architecture, task = NETS[net]
    return tuple(
        Subject(
            architecture=architecture,
            task=TASKS[task](),
            rule=RULES["backprop"](),
            optimizer=OPTIMIZERS["sgd"](learning_rate=1e-3),
            label="backprop",
            batch_size=32,
            steps=100,
            replicate=number,
            seed=0,
        )
        for number in range(size)
    )


def plain_steps(net: str, size: int) -> Callable[[], None]:
    """One step of each of several ordinary modules, one after another."""
    everyone = subjects(net, size)
    modules = [forward_network(one) for one in everyone]
    optimizers = [torch.optim.SGD(m.parameters(), 1e-3, momentum=0.9) for m in modules]
    images = everyone[0].task.train()
    orders = torch.rand(size, len(images.labels)).argsort(1)[:, :32]

    def step() -> None:
        for module, optimizer, order in zip(modules, optimizers, orders, strict=True):
            loss = nn.functional.cross_entropy(module(images.stimuli[order]), images.labels[order])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
            optimizer.step()

    return step


def cohort_step(net: str, size: int) -> Callable[[], None]:
    trainer = CohortTrainer(Cohort(subjects(net, size)), torch.float32, "cpu")
    batches, steps = trainer.batches(), count()
    return lambda: trainer.training_step(*next(batches), next(steps))


def milliseconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("milliseconds of one subject's step; ratio: median over turns [quartiles]; batch 32")
    print(f"{'net':38} {'S':>3} {'loop':>8} {'cohort':>8}   loop / cohort")
    for net in NETS:
        for size in options.sizes:
            loop, cohort = plain_steps(net, size), cohort_step(net, size)
            loop(), cohort()
            turns = [(milliseconds(loop), milliseconds(cohort)) for _ in range(options.turns)]
            times = np.array(turns)
            each = np.median(times, 0) / size
            low, middle, high = np.quantile(times[:, 0] / times[:, 1], (0.25, 0.5, 0.75))
            print(
                f"{net:38} {size:3} {each[0]:8.2f} {each[1]:8.2f}   "
                f"{middle:.1f} [{low:.1f}, {high:.1f}]",
                flush=True,
            )


if __name__ == "__main__":
    main()
