"""What a rule costs beside backpropagation: ``python benchmarks/rules.py``, some five minutes.

A cohort of each rule and one of backpropagation take turns, two training steps at a time, because
a rule may take turns between two kinds of step. The figure is the median over turns of the ratio
of processor time, on one thread. Quote ratios; feedback rules are meant to stay below 1.3,
alignment rules below 2.5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

NETS: dict[str, tuple[str, dict[str, Any], str]] = {
    "knet4, 8x8": ("knet4", {}, "digits"),
    "knet4, 28x28": ("knet4", {}, "mnist_5k"),
    "mlp 128-64, 8x8": ("mlp", {}, "digits"),
    "mlp 500-500, 28x28": ("mlp", {"hidden": (500, 500)}, "mnist_5k"),
}
FEEDBACK: dict[str, tuple[str, dict[str, Any]]] = {
    "feedback_alignment": ("feedback_alignment", {}),
    "kolen_pollack": ("kolen_pollack", {}),
    "sign_symmetry, uniform": ("sign_symmetry", {}),
    "sign_symmetry, fixed": ("sign_symmetry", {"magnitudes": "fixed"}),
    "sign_symmetry, batchwise": ("sign_symmetry", {"magnitudes": "batchwise"}),
    "direct_feedback_alignment": ("direct_feedback_alignment", {}),
    "direct_random_target_projection": ("direct_random_target_projection", {}),
}
ALIGNMENT: dict[str, tuple[str, dict[str, Any]]] = {
    "weight_mirror, noise": ("weight_mirror", {}),
    "weight_mirror, own activity": ("weight_mirror", {"activity": "own", "alternate": 0}),
    "information_alignment": ("information_alignment", {}),
    "symmetric_alignment": ("symmetric_alignment", {}),
    "activation_alignment": ("activation_alignment", {}),
}


def others() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every rule that the two families leave."""
    listed = {"backprop", *(name for name, _ in (*FEEDBACK.values(), *ALIGNMENT.values()))}
    return {name: (name, {}) for name in RULES if name not in listed}


def steps(net: str, rule: str, settings: dict[str, Any], size: int) -> Callable[[int], None]:
    """Two training steps of a cohort, from the step that is given."""
    architecture, shape, task = NETS[net]
    trainer = CohortTrainer(
        Cohort(
            tuple(
                Subject(
                    architecture=ARCHITECTURES[architecture](**shape),
                    task=TASKS[task](),
                    rule=RULES[rule](**settings),
                    optimizer=OPTIMIZERS["sgd"](learning_rate=1e-4),
                    label=rule,
                    batch_size=32,
                    steps=100,
                    replicate=number,
                    seed=0,
                )
                for number in range(size)
            )
        ),
        torch.float32,
        "cpu",
    )
    batches = trainer.batches()

    def work(at: int) -> None:
        for step in (at, at + 1):
            trainer.training_step(*next(batches), step)

    return work


def ratio(net: str, rule: str, settings: dict[str, Any], size: int, turns: int) -> float:
    """Median over turns of the rule's time by backpropagation's."""
    pair = steps(net, "backprop", {}, size), steps(net, rule, settings, size)
    times = np.zeros((turns + 1, 2))
    for turn in range(turns + 1):
        for place, work in enumerate(pair):
            began = time.process_time()
            work(2 * turn)
            times[turn, place] = time.process_time() - began
    # The first turn allocates.
    return float(np.median(times[1:, 1] / times[1:, 0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=20, help="subjects of a cohort")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| rule | " + " | ".join(options.nets) + " |")
    print("| --- |" + " --- |" * len(options.nets))
    for family, members in (
        ("feedback", FEEDBACK),
        ("alignment", ALIGNMENT),
        ("others", others()),
    ):
        print(f"| **{family}** |" + " |" * len(options.nets))
        for label, (rule, settings) in members.items():
            cells = [
                "-"
                if RULES[rule].dense_only and not net.startswith("mlp")
                else f"{ratio(net, rule, settings, options.size, options.turns):.2f}"
                for net in options.nets
            ]
            print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
