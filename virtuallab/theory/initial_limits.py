"""Step limits of a subject before training: the largest stable learning rates of its layers."""

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

_TOLERANCE = 0.01  # curvature differs more than that from one batch to the next


@dataclass(frozen=True)
class Curvature:
    """Curvature of a layer along its backward weight, per unit of a primitive's coefficient.

    Parameters
    ----------
    null, sparse : float
        Largest eigenvalue of the map of ``B`` that each primitive alone, at coefficient 1, makes.
    """

    null: float = 0.0
    sparse: float = 0.0

    def grown(self, factor: float) -> Curvature:
        """Curvature once the second moments of the activity have grown by a factor."""
        return Curvature(self.null * factor, self.sparse * factor)


@torch.no_grad()
def initial_curvatures(subject: Subject, primitives: Collection[str]) -> dict[str, Curvature]:
    """Curvature of each layer of a subject before training, on its first batch.

    Curvature is linear in the coefficients, so one measurement serves all subjects that differ in
    their numbers alone.

    Parameters
    ----------
    subject : Subject
        Of an alignment rule.
    primitives : collection of str
        Which to measure, of ``"null"`` and ``"sparse"``.

    Returns
    -------
    dict from name of a layer to Curvature
    """
    trainer = CohortTrainer(Cohort((subject,)), torch.float32, "cpu")
    network = trainer.network
    stimuli, _ = next(trainer.batches())
    pathway = FeedbackPathway(record=True)
    with network.using(pathway):
        network.scores(stimuli)
    rules = {name: _alone(subject.rule, name) for name in primitives}
    found = {}
    for name, layer in network.layers.items():
        view = LayerView.from_trace(layer, pathway.traces[layer])
        measured = {
            primitive: largest_curvature(
                rule.backward_step, rule.alignment_view(view, network), tolerance=_TOLERANCE
            ).item()
            for primitive, rule in rules.items()
        }
        found[name] = Curvature(**measured)
    return found


def step_limit_of(subject: Subject, curvature: Curvature) -> float | None:
    """Learning rate above which the backward weight of a layer diverges; infinite if none does.

    Null and sparse add up as they do in a dense layer, where both are stiffest in one direction; in
    a convolution with both, the true limit may be a little higher.

    Parameters
    ----------
    subject : Subject
        Of an alignment rule.
    curvature : Curvature
        Of the layer.

    Returns
    -------
    float or None
        None if the optimizer is not gradient descent: an optimizer that scales each step by
        previous ones has no such limit.
    """
    optimizer, rule = subject.backward_optimizer, subject.rule
    if not isinstance(optimizer, SGD) or not isinstance(rule, Alignment):
        return None
    k = coefficients_of(rule)
    total = 2 * k.decay + k.null * curvature.null + k.sparse * curvature.sparse
    # A ramp may begin above the coefficients with which it ends.
    total *= max(float(rule.ramp_factor(progress)) for progress in (0.0, 1.0))
    total += optimizer.weight_decay
    largest = largest_step(optimizer.momentum, nesterov=optimizer.nesterov)
    return largest / total if total > 0 else float("inf")


def _alone(rule: object, primitive: str) -> Alignment:
    """Return the rule with this primitive alone, at coefficient 1, for a cohort of one."""
    assert isinstance(rule, Alignment)
    coefficients = {name: float(name == primitive) for name in rule.coefficients}
    alone: Alignment = replace(rule, **coefficients)  # type: ignore[arg-type]
    return stack_settings([alone], torch.float32)
