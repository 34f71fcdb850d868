"""Subjects that diverge are marked, and do not affect other subjects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import NETS, images, initialised_module
from tests.subject.training.test_trainer import subject
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.synapse import Conv, Dense
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import CohortTrainer, train

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

DIVERGED, SUBJECTS, BATCH = 1, 5, 4
GEOMETRIES = {
    "padded": Conv((1, 1), (1, 1), (1, 1), 1, (9, 9)),
    "strided": Conv((2, 2), (0, 0), (1, 1), 1, (9, 9)),
    "dilated": Conv((1, 1), (2, 2), (2, 2), 1, (9, 9)),
}


def other_signals(signal: Tensor) -> Tensor:
    """Signals of all subjects except the diverged one."""
    by_subject = signal.reshape(BATCH, SUBJECTS, -1).transpose(0, 1)
    return by_subject[[place for place in range(SUBJECTS) if place != DIVERGED]]


def other_weights(weight: Tensor) -> Tensor:
    return weight[[place for place in range(SUBJECTS) if place != DIVERGED]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("pre", [1, 3, 8, 16])  # kernels that pack channels might pack subjects
@pytest.mark.parametrize("post", [6, 16])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_groups_of_a_convolution_are_independent(
    geometry: str, post: int, pre: int, value: float
) -> None:
    synapse, stream = GEOMETRIES[geometry], torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=stream)

    x = normal(BATCH, SUBJECTS * pre, 9, 9).contiguous(memory_format=torch.channels_last)
    w, b = normal(SUBJECTS, post, pre, 3, 3), normal(SUBJECTS, post, pre, 3, 3)
    bias = normal(SUBJECTS, post)
    error = torch.randn(synapse.project(x, w).shape, generator=stream)

    def all_maps() -> tuple[Tensor, ...]:
        z = synapse.project(x, w, bias)
        down, step = synapse.backpropagate(error, x, b, downward=True)
        assert down is not None
        return (
            other_signals(z),
            other_signals(down),
            other_signals(synapse.reconstruct(z, b)),
            other_weights(step),
        )

    before = all_maps()
    for signal, width in ((x, pre), (error, post)):
        signal[:, DIVERGED * width : (DIVERGED + 1) * width] = value
    for weight in (w, b, bias):
        weight[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_subjects_of_a_dense_layer_are_independent(value: float) -> None:
    stream = torch.Generator().manual_seed(0)
    x, w, error = (
        torch.randn(*shape, generator=stream)
        for shape in ((SUBJECTS, BATCH, 7), (SUBJECTS, 6, 7), (SUBJECTS, BATCH, 6))
    )
    synapse = Dense()

    def all_maps() -> tuple[Tensor, ...]:
        down, step = synapse.backpropagate(error, x, w, downward=True)
        assert down is not None
        return other_weights(synapse.project(x, w)), other_weights(down), other_weights(step)

    before = all_maps()
    for tensor in (x, w, error):
        tensor[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("name", NETS)
def test_a_diverged_network_does_not_change_responses_and_gradients_of_others(name: str) -> None:
    x = images(3, count=BATCH, subjects=SUBJECTS).float()

    def response_and_gradients(diverged: bool) -> list[Tensor]:
        population = populate([initialised_module(name, seed).float() for seed in range(SUBJECTS)])
        if diverged:
            with torch.no_grad():
                for parameter in population.parameters():
                    parameter[DIVERGED] = torch.nan
        response = population(x)
        target = torch.arange(BATCH * SUBJECTS) % 3
        nn.functional.cross_entropy(response.view(-1, 3), target, reduction="none").sum().backward()
        return [other_signals(response), *(other_weights(p.grad) for p in population.parameters())]

    for without, with_diverged in zip(
        response_and_gradients(False), response_and_gradients(True), strict=True
    ):
        assert torch.equal(without, with_diverged)


@pytest.mark.parametrize("layer", ["conv1", "conv3", "fc4"])
def test_the_layer_that_diverged_is_named(layer: str) -> None:
    trainer = CohortTrainer(
        Cohort(tuple(subject("backprop", number=n) for n in range(3))), torch.float32, "cpu"
    )
    with torch.no_grad():
        trainer.network.layers[layer].weight[DIVERGED, 0] = torch.inf
    trainer.training_step(*next(trainer.batches()), 7)
    assert trainer.outcome().diverged_at.tolist() == [-1, 7, -1]
    assert trainer.outcome().diverged_in == (None, layer, None)


@pytest.mark.parametrize("last", [1, 2, 5])
def test_a_subject_that_diverges_at_the_last_step_is_marked(last: int) -> None:
    """Its loss was finite at every step; its weights are not."""
    stable = subject("backprop", "mlp")
    optimizer = OPTIMIZERS["sgd"](learning_rate=1e300)  # infinite in single precision
    unstable = replace(subject("backprop", "mlp", 1), optimizer=optimizer)
    visits: list[Visit] = []
    outcome = train(Cohort((stable, unstable)), [0, last], visits.append)
    assert outcome.diverged_at.tolist() == [-1, 1]
    assert outcome.diverged_in[1] in ("fc1", "fc2")
    assert np.isnan(visits[-1].state[1]).all()
    assert np.isfinite(visits[-1].state[0]).all()
    assert all(np.isnan(values[1]).all() for values in visits[-1].evaluation.values())
    for number, visit in enumerate(visits):
        assert np.isfinite(visit.state).all(axis=1).tolist() == [True, number == 0]
