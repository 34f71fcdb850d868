"""Largest stable learning rates of a subject's layers before training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch

from virtuallab.subject.learning.alignment import Alignment
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.optimizers.sgd import SGD
from virtuallab.subject.rule import stack_settings
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer
from virtuallab.theory.coefficients import coefficients_of
from virtuallab.theory.curvature import largest_curvature
from virtuallab.theory.fixed_forward import largest_step

_TOLERANCE = 0.01  # less than the differences of curvature between batches


@dataclass(frozen=True)
class Curvature:
    """Curvature of a layer along its backward weight, per unit of a primitive's coefficient.

    It is the largest eigenvalue of the map of ``B`` by each primitive alone, at coefficient 1.
    """

    null: float = 0.0
    sparse: float = 0.0

    def grown(self, factor: float) -> Curvature:
        """Curvature after the second moments of the activity have grown by a factor."""
        return Curvature(self.null * factor, self.sparse * factor)


@torch.no_grad()
def initial_curvatures(subject: Subject, primitives: Collection[str]) -> dict[str, Curvature]:
    """Curvature of each layer of a subject before training, on its first batch.

    Curvature is linear in the coefficients, so that one measurement serves all subjects that differ
    only in real-numbered settings. The subject's rule is an alignment rule; ``primitives`` are
    ``"null"``, ``"sparse"`` or both.
    """
    trainer = CohortTrainer(Cohort((subject,)), torch.float32, "cpu")
    network = trainer.network
    stimuli, _ = next(trainer.batches())
    pathway = FeedbackPathway(record=True)
    with network.using(pathway):
        network.scores(stimuli)
    rules = {name: _with_one_primitive(subject.rule, name) for name in primitives}
    curvatures = {}
    for name, layer in network.layers.items():
        view = LayerView.from_trace(layer, pathway.traces[layer])
        largest = {
            primitive: largest_curvature(
                rule.backward_step, rule.alignment_view(view, network), tolerance=_TOLERANCE
            ).item()
            for primitive, rule in rules.items()
        }
        curvatures[name] = Curvature(**largest)
    return curvatures


def step_limit_of(subject: Subject, curvature: Curvature) -> float | None:
    """Learning rate above which the backward weight of a layer diverges; infinite without limit.

    The curvatures of null and sparse are added, as in a dense layer, where both are largest in the
    same direction; in a convolution with both, the true limit may be slightly higher. None if the
    optimizer is not gradient descent: one that scales each step by previous ones has no such limit.
    """
    optimizer, rule = subject.backward_optimizer, subject.rule
    if not isinstance(optimizer, SGD) or not isinstance(rule, Alignment):
        return None
    k = coefficients_of(rule)
    total = 2 * k.decay + k.null * curvature.null + k.sparse * curvature.sparse
    # The coefficients may be largest at the beginning or at the end of a ramp.
    total *= max(float(rule.ramp_factor(progress)) for progress in (0.0, 1.0))
    total += optimizer.weight_decay
    largest = largest_step(optimizer.momentum, nesterov=optimizer.nesterov)
    return largest / total if total > 0 else float("inf")


def _with_one_primitive(rule: object, primitive: str) -> Alignment:
    """Rule of a cohort of one, with this primitive at coefficient 1 and the others at 0."""
    assert isinstance(rule, Alignment)
    coefficients = {name: float(name == primitive) for name in rule.coefficients}
    changed: Alignment = replace(rule, **coefficients)  # type: ignore[arg-type]
    return stack_settings([changed], torch.float32)
