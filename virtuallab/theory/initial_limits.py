"""The step limits of a subject at birth: what can be known of them before it is trained."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch

from virtuallab.subject.learning.alignment import Alignment
from virtuallab.subject.learning.error_feedback import local
from virtuallab.subject.network.pathways import Through
from virtuallab.subject.optimizers.sgd import SGD
from virtuallab.subject.rule import stack
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import Room
from virtuallab.theory.coefficients import coefficients_of
from virtuallab.theory.curvature import stiffness
from virtuallab.theory.fixed_forward import largest_step

_TOLERANCE = 0.01  # what is measured differs more than that from one batch to the next


@dataclass(frozen=True)
class Curvature:
    """How strongly a layer's activity holds its backward weight, per strength of a primitive.

    Parameters
    ----------
    null, sparse : float
        Largest eigenvalue of the map that each of them alone, at strength 1, makes of ``B``.
    """

    null: float = 0.0
    sparse: float = 0.0

    def grown(self, factor: float) -> Curvature:
        """Return what it is once the second moments of the activity have grown by a factor."""
        return Curvature(self.null * factor, self.sparse * factor)


@torch.no_grad()
def curvatures(subject: Subject, primitives: Collection[str]) -> dict[str, Curvature]:
    """Measure a subject's layers at birth, on its first batch.

    The curvature is linear in the strengths, so one measurement serves all subjects that differ in
    their numbers alone.

    Parameters
    ----------
    subject : Subject
        Of an alignment rule.
    primitives : collection of str
        Which to measure, of ``"null"`` and ``"sparse"``.

    Returns
    -------
    dict from layer to Curvature
    """
    room = Room(Cohort((subject,)), torch.float32, "cpu")
    stimuli, _ = next(room.batches())
    through = Through(noting=True)
    with room.network.wired(through):
        room.network.scores(stimuli)
    rules = {name: _alone(subject.rule, name) for name in primitives}
    found = {}
    for name, layer in room.network.layers.items():
        at = local(layer, through.tapes[layer], None)
        measured = {
            primitive: stiffness(
                rule.backward_step, rule.attend(at, room.network), tolerance=_TOLERANCE
            ).item()
            for primitive, rule in rules.items()
        }
        found[name] = Curvature(**measured)
    return found


def limit_of(subject: Subject, curvature: Curvature) -> float | None:
    """Learning rate above which the backward weight of a layer diverges; infinite if none does.

    None where the optimizer is not gradient descent: one that scales each step by those before it
    has no such limit. Null and sparse add up as they do in a dense layer, where both are stiffest
    in one direction; in a convolution with both, the true limit may lie a little higher.

    Parameters
    ----------
    subject : Subject
        Of an alignment rule.
    curvature : Curvature
        The layer's.
    """
    optimizer, rule = subject.backward_optimizer, subject.rule
    if not isinstance(optimizer, SGD) or not isinstance(rule, Alignment):
        return None
    k = coefficients_of(rule)
    held = 2 * k.decay + k.null * curvature.null + k.sparse * curvature.sparse
    # A ramp may begin above the strengths with which it ends.
    held *= max(float(rule.strength(progress)) for progress in (0.0, 1.0))
    held += optimizer.weight_decay
    largest = largest_step(optimizer.momentum, nesterov=optimizer.nesterov)
    return largest / held if held > 0 else float("inf")


def _alone(rule: object, primitive: str) -> Alignment:
    """Return the rule with this primitive alone, at strength 1, as of a cohort of one."""
    assert isinstance(rule, Alignment)
    strengths = {name: float(name == primitive) for name in rule.strengths}
    return stack([replace(rule, **strengths)], torch.float32)  # type: ignore[arg-type]
