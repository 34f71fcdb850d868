"""Networks that benchmarks train: architecture, settings and task of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

BATCH = 32  # images
LEARNING_RATE = 1e-3
MOMENTUM = 0.9


@dataclass(frozen=True)
class Net:
    """Architecture and task by their names, and settings of the architecture."""

    architecture: str
    task: str
    settings: dict[str, Any] = field(default_factory=dict)


NETS = {
    "mlp 128-64, 8x8": Net("mlp", "digits"),
    "knet4 8-16-16, 8x8": Net("knet4", "digits"),
    "knet4 16-32-32, 8x8": Net("knet4", "digits", {"channels": (16, 32, 32)}),
    "knet4 8-16-16, local response, 8x8": Net(
        "knet4", "digits", {"normalisation": "local_response"}
    ),
    "knet4 8-16-16, 28x28": Net("knet4", "mnist_5k"),
    "resnet18 width 4, 8x8": Net("resnet18", "digits", {"width": 4}),
    "mlp 500-500, 28x28": Net("mlp", "mnist_5k", {"hidden": (500, 500)}),
}


def subjects(
    net: str,
    rule: str,
    size: int,
    *,
    settings: dict[str, Any] | None = None,
    learning_rate: float = LEARNING_RATE,
) -> tuple[Subject, ...]:
    """Subjects that differ in their random numbers only.

    Parameters
    ----------
    net : str
        One of :data:`NETS`.
    rule : str
    size : int
        Number of subjects.
    settings : dict, optional
        Of the rule.
    learning_rate : float

    Returns
    -------
    tuple of Subject
    """
    chosen = NETS[net]
    return tuple(
        Subject(
            architecture=ARCHITECTURES[chosen.architecture](**chosen.settings),
            task=TASKS[chosen.task](),
            rule=RULES[rule](**(settings or {})),
            optimizer=OPTIMIZERS["sgd"](learning_rate=learning_rate, momentum=MOMENTUM),
            label=rule,
            batch_size=BATCH,
            steps=100_000,  # no run is as long
            replicate=number,
            seed=0,
            pair=str(number),  # the same initial weights and images under every rule
            paired=("initial_weights", "data_order"),
        )
        for number in range(size)
    )


def training_step(everyone: tuple[Subject, ...]) -> Callable[[], None]:
    """Function that trains a cohort of these subjects by one more step."""
    trainer = CohortTrainer(Cohort(everyone), torch.float32, "cpu")
    batches, steps = trainer.batches(), count()
    return lambda: trainer.training_step(*next(batches), next(steps))
