"""Learning rates at which information alignment diverges: ``python studies/step_limit.py``.

Networks learn digits while their backward weights align with summed positions (three minutes). The
lowest step limit over the layers is measured at initialisation and during training, and compared
with the learning rate and the number of diverged subjects. Two controls show the cause of the
divergence: feedback alignment, whose backward weights are fixed, and backward weights with a tenth
of the learning rate.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import torch

from virtuallab import theory
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.rule import Rule
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

SUBJECTS, STEPS, MOMENTUM = 10, 400, 0.9
RATES = (0.01, 0.03, 0.06, 0.09, 0.13, 0.2)
RULE = RULES["information_alignment"](positions="sum")


def trainer_of(
    architecture: str, rule: Rule, learning_rate: float, backward: float
) -> CohortTrainer:
    """Subjects that are alike but for their random streams."""
    forward_sgd, backward_sgd = (
        OPTIMIZERS["sgd"](learning_rate=rate, momentum=MOMENTUM)
        for rate in (learning_rate, backward)
    )
    one = Subject(
        architecture=ARCHITECTURES[architecture](),
        task=TASKS["digits"](),
        rule=rule,
        optimizer=forward_sgd,
        feedback_optimizer=backward_sgd,
        label=rule.name,
        batch_size=32,
        steps=STEPS,
        replicate=0,
        seed=1,
    )
    members = tuple(replace(one, replicate=number) for number in range(SUBJECTS))
    return CohortTrainer(Cohort(members), torch.float32, "cpu")


@torch.no_grad()
def lowest_limits(trainer: CohortTrainer, stimuli: torch.Tensor) -> np.ndarray:
    """Lowest step limit over the layers, of each subject."""
    pathway = FeedbackPathway(record=True)
    with trainer.network.using(pathway):
        trainer.network.scores(stimuli)
    k = theory.coefficients_of(RULE)
    each = [
        theory.measured_limit(k, LayerView.from_trace(layer, trace), mean=False, momentum=MOMENTUM)
        for layer, trace in pathway.traces.items()
    ]
    return torch.stack(each).min(0).values.numpy()


def trained(
    architecture: str, rule: Rule, rate: float, backward: float
) -> tuple[np.ndarray, np.ndarray]:
    """Limits up to step 50 ``(time, subject)``, and when each subject diverged; -1: never."""
    trainer = trainer_of(architecture, rule, rate, backward)
    batches = trainer.batches()
    seen = []
    for step in range(STEPS):
        stimuli, labels = next(batches)
        if rule is RULE and step <= 50 and step % 10 == 0:
            seen.append(lowest_limits(trainer, stimuli))
        trainer.training_step(stimuli, labels, step)
    trainer.visit(0, STEPS)
    return np.array(seen), trainer.diverged_at


def main() -> None:
    """Print the table."""
    columns = (
        "network", "learning rate", "limit at initialisation", "lowest to step 50, of survivors",
        f"diverged, of {SUBJECTS}", "median step", "with a tenth for $B$", "feedback alignment",
    )  # fmt: skip
    print("| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|")
    for network, rate in product(("knet4", "mlp"), RATES):
        limits, when = trained(network, RULE, rate, rate)
        _, slow = trained(network, RULE, rate, rate / 10)
        _, control = trained(network, RULES["feedback_alignment"](), rate, rate)
        gone = when >= 0
        row = (
            network,
            f"{rate:g}",
            _span(limits[0]),
            _span(limits[:, ~gone].min(0)) if not gone.all() else "-",
            f"{gone.sum()}",
            f"{np.median(when[gone]):.0f}" if gone.any() else "-",
            f"{(slow >= 0).sum()}",
            f"{(control >= 0).sum()}",
        )
        print("| " + " | ".join(row) + " |", flush=True)


def _span(values: np.ndarray) -> str:
    """Median, and smallest to largest."""
    return f"{np.median(values):.2g} ({values.min():.2g} to {values.max():.2g})"


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
