"""Measurements of what a rule's class promises: the angle to the gradient, and locality."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, TASKS
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective, locality
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.rule import Rule, Updates
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import CohortTrainer, train
from virtuallab.testing.plugin import broken

VISITS = (0, 400)
_SUBJECTS, _BATCH = 16, 20
_SEED = 1
_FEW = 8  # images, fewer than the units of any hidden layer
_TOLERANCE = 1e-9
_ROUNDING = 1e-4  # degrees
_WITHOUT_LABELS = {Need.INPUT, Need.RESPONSE}


def check_promises(rule: Rule) -> None:
    """Measure the promises of a rule in a small multilayer perceptron.

    The class must declare ``error_return`` and ``objective``, which are not measured. The angle is
    measured with default settings only, for which it is promised.

    Raises
    ------
    AssertionError
        With the promise that is not kept, and what was measured.
    """
    for name, words in (("error_return", ErrorReturn), ("objective", Objective)):
        if not isinstance(getattr(rule, name), words):
            valid = ", ".join(f"{words.__name__}.{each.name}" for each in words)
            broken("rule", rule, f"declares no {name} for reports; use one of {valid}")
    promised = rule.gradient_angle
    if promised is not None and _has_default_settings(rule):
        bounds = [promised.initial, *([] if promised.trained is None else [promised.trained])]
        measured = gradient_angles(rule, _SEED, VISITS[: len(bounds)])
        for when, (low, high), angle in zip(("initial", "trained"), bounds, measured, strict=False):
            if not low - _ROUNDING <= angle <= high + _ROUNDING:
                broken(
                    "rule",
                    rule,
                    f"promises the {when} gradient_angle {low:g} to {high:g} degrees; "
                    f"{angle:.1f} degrees were measured",
                )
    _check_locality(rule)


def gradient_angles(rule: Rule, seed: int, visits: Sequence[int] = VISITS) -> list[float]:
    """Mean angle between a rule's steps and the gradient, over hidden layers and 16 subjects.

    The subjects are multilayer perceptrons of 20 and 12 hidden units, with digits of 8 x 8 and
    gradient descent at a learning rate of 0.03 without momentum, in batches of 20. Layers in which
    the angle is not defined, because no unit responds, are left out.

    Parameters
    ----------
    rule : Rule
    seed : int
    visits : sequence of int
        Training steps after which the angle is measured.

    Returns
    -------
    list of float
        In degrees; NaN where it is defined in no layer.
    """
    found: list[float] = []

    def measure(visit: Visit) -> None:
        angles = visit.evaluation["gradient_angle"][:, :-1]
        known = angles[np.isfinite(angles)]
        found.append(float(known.mean()) if len(known) else float("nan"))

    subjects = _subjects(rule, seed, _SUBJECTS, _BATCH)
    train(Cohort(tuple(subjects)), visits, measure, dtype=torch.float64)
    return found


def _subjects(rule: Rule, seed: int, count: int, batch: int) -> list[Subject]:
    return [
        Subject(
            architecture=ARCHITECTURES["mlp"](hidden=(20, 12)),
            task=TASKS["digits"](train_images=600, validation_images=64, probe_images=10),
            rule=rule,
            optimizer=OPTIMIZERS["sgd"](learning_rate=0.03, momentum=0.0),
            label=rule.name,
            batch_size=batch,
            steps=max(VISITS),
            replicate=number,
            seed=seed,
        )
        for number in range(count)
    ]


def _has_default_settings(rule: Rule) -> bool:
    return all(
        field.default in (dataclasses.MISSING, getattr(rule, field.name))
        for field in dataclasses.fields(rule)
    )


def _check_locality(rule: Rule) -> None:
    """Check that steps do not depend on what the declared needs exclude."""
    trainer = CohortTrainer(Cohort(tuple(_subjects(rule, _SEED, 2, _FEW))), torch.float64, "cpu")
    network = trainer.network
    stimuli, labels = next(trainer.batches())
    for step in sorted({0, 1, trainer.rule.first_forward_step}):
        before = _updates(trainer.rule, network, stimuli, labels, step)
        if rule.needs and set(rule.needs) <= _WITHOUT_LABELS:
            after = _updates(trainer.rule, network, stimuli, (labels + 1) % 10, step)
            readout = [network.readout.weight, network.readout.bias]
            if _differ(network, before, after, readout):
                broken(
                    "rule",
                    rule,
                    "declares no need that depends on the labels, but the steps of its hidden "
                    "layers change with them",
                )
        if locality(type(rule)) == "yes":
            _check_weight_transport(rule, trainer, stimuli, labels, step, before)


def _check_weight_transport(
    rule: Rule, trainer: CohortTrainer, stimuli: Tensor, labels: Tensor, step: int, before: Updates
) -> None:
    """Change each forward weight where no image reaches it: all responses stay the same.

    A step that changes nevertheless has used the strength of another synapse.
    """
    network = trainer.network
    pathway = FeedbackPathway(record=True)
    with network.state_restored(), network.using(pathway):
        network.scores(stimuli)
    for name, layer in list(network.layers.items())[1:]:
        inputs = pathway.traces[layer].pre.detach()  # (subject, batch, unit)
        unreached = torch.eye(inputs.shape[2]).double() - torch.linalg.pinv(inputs) @ inputs
        kept = layer.weight.detach().clone()
        stream = torch.Generator().manual_seed(_SEED)
        noise = torch.randn(kept.shape, generator=stream, dtype=kept.dtype)
        with torch.no_grad():
            layer.weight.add_(noise @ unreached)
        after = _updates(trainer.rule, network, stimuli, labels, step)
        with torch.no_grad():
            layer.weight.copy_(kept)
        if _differ(network, before, after, [layer.weight]):
            broken(
                "rule",
                rule,
                f"declares needs that are all available at the synapse, but other steps change "
                f"with the forward weight of {name!r} where all responses are the same. Declare "
                "Need.FORWARD_WEIGHTS, FORWARD_SIGNS or WEIGHT_ESTIMATE",
            )


def _updates(rule: Rule, network: Network, stimuli: Tensor, labels: Tensor, step: int) -> Updates:
    with network.state_restored():
        return rule.compute_updates(network, stimuli, labels, step)


def _differ(
    network: Network, before: Updates, after: Updates, own: Sequence[Tensor | None]
) -> bool:
    """Whether steps differ, except the forward steps of ``own``."""
    skipped = {network.index_of(each) for each in own if each is not None}
    forward = enumerate(zip(before.forward or [], after.forward or [], strict=True))
    backward = zip(before.backward or [], after.backward or [], strict=True)
    pairs = [*(pair for place, pair in forward if place not in skipped), *backward]
    return any(not torch.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE) for a, b in pairs)
