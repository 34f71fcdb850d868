"""What a rule costs beside backpropagation: ``python -m benchmarks.rules``, some five minutes.

A cohort of each rule and one of backpropagation take turns, two training steps at a time, because
a rule may take turns between two kinds of step. The figure is the median over turns of the ratio
of processor time, on one thread. Quote ratios; feedback rules are meant to stay below 1.3,
alignment rules below 2.5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.measuring.nets import subjects, training_step
from benchmarks.measuring.turns import Quartiles, in_turns
from virtuallab.registry import RULES

STEPS = 2  # of a turn, since a rule may alternate between two kinds of step
NETS = ["knet4 8-16-16, 8x8", "knet4 8-16-16, 28x28", "mlp 128-64, 8x8", "mlp 500-500, 28x28"]
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


def repeated(step: Callable[[], None]) -> None:
    """Train by the steps of one turn."""
    for _ in range(STEPS):
        step()


def ratio(net: str, rule: str, settings: dict[str, Any], size: int, turns: int) -> float:
    """Median over turns of the rule's time by backpropagation's."""
    pair = [
        training_step(subjects(net, each, size, settings=of_it, learning_rate=1e-4))
        for each, of_it in (("backprop", {}), (rule, settings))
    ]
    times = in_turns([partial(repeated, step) for step in pair], turns + 1, clock=time.process_time)
    # The first turn allocates.
    return Quartiles.of(times[1:, 1] / times[1:, 0]).median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=20, help="subjects of a cohort")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--nets", nargs="+", choices=NETS, default=NETS)
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
