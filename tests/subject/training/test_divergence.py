"""A subject that leaves all bounds is marked, and nothing of it reaches another subject."""

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


def healthy(signal: Tensor) -> Tensor:
    """All subjects but the sick one."""
    by_subject = signal.reshape(BATCH, SUBJECTS, -1).transpose(0, 1)
    return by_subject[[place for place in range(SUBJECTS) if place != DIVERGED]]


def others(weight: Tensor) -> Tensor:
    return weight[[place for place in range(SUBJECTS) if place != DIVERGED]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("pre", [1, 3, 8, 16])  # kernels that pack channels may pack neighbours
@pytest.mark.parametrize("post", [6, 16])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_group_of_a_convolution_sees_another(
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
        return healthy(z), healthy(down), healthy(synapse.reconstruct(z, b)), others(step)

    before = all_maps()
    for signal, width in ((x, pre), (error, post)):
        signal[:, DIVERGED * width : (DIVERGED + 1) * width] = value
    for weight in (w, b, bias):
        weight[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_subject_of_a_dense_layer_sees_another(value: float) -> None:
    stream = torch.Generator().manual_seed(0)
    x, w, error = (
        torch.randn(*shape, generator=stream)
        for shape in ((SUBJECTS, BATCH, 7), (SUBJECTS, 6, 7), (SUBJECTS, BATCH, 6))
    )
    synapse = Dense()

    def all_maps() -> tuple[Tensor, ...]:
        down, step = synapse.backpropagate(error, x, w, downward=True)
        assert down is not None
        return others(synapse.project(x, w)), others(down), others(step)

    before = all_maps()
    for tensor in (x, w, error):
        tensor[DIVERGED] = value
    for old, new in zip(before, all_maps(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("name", NETS)
def test_a_sick_network_leaves_the_responses_and_gradients_of_its_neighbours(name: str) -> None:
    x = images(3, count=BATCH, subjects=SUBJECTS).float()

    def response_and_gradients(sick: bool) -> list[Tensor]:
        population = populate([initialised_module(name, seed).float() for seed in range(SUBJECTS)])
        if sick:
            with torch.no_grad():
                for parameter in population.parameters():
                    parameter[DIVERGED] = torch.nan
        response = population(x)
        target = torch.arange(BATCH * SUBJECTS) % 3
        nn.functional.cross_entropy(response.view(-1, 3), target, reduction="none").sum().backward()
        return [healthy(response), *(others(p.grad) for p in population.parameters())]

    for well, beside_sick in zip(
        response_and_gradients(False), response_and_gradients(True), strict=True
    ):
        assert torch.equal(well, beside_sick)


@pytest.mark.parametrize("layer", ["conv1", "conv3", "fc4"])
def test_the_layer_that_broke_is_named(layer: str) -> None:
    trainer = CohortTrainer(
        Cohort(tuple(subject("backprop", number=n) for n in range(3))), torch.float32, "cpu"
    )
    with torch.no_grad():
        trainer.network.layers[layer].weight[DIVERGED, 0] = torch.inf
    trainer.training_step(*next(trainer.batches()), 7)
    assert trainer.outcome().diverged_at.tolist() == [-1, 7, -1]
    assert trainer.outcome().diverged_in == (None, layer, None)


@pytest.mark.parametrize("last", [1, 2, 5])
def test_whoever_breaks_on_the_last_step_is_marked_too(last: int) -> None:
    """Its loss was finite at every step that was taken; its weights are not."""
    calm = subject("backprop", "mlp")
    optimizer = OPTIMIZERS["sgd"](learning_rate=1e300)  # infinite in single precision
    wild = replace(subject("backprop", "mlp", 1), optimizer=optimizer)
    visits: list[Visit] = []
    outcome = train(Cohort((calm, wild)), [0, last], visits.append)
    assert outcome.diverged_at.tolist() == [-1, 1]
    assert outcome.diverged_in[1] in ("fc1", "fc2")
    assert np.isnan(visits[-1].state[1]).all()
    assert np.isfinite(visits[-1].state[0]).all()
    assert all(np.isnan(values[1]).all() for values in visits[-1].evaluation.values())
    for number, visit in enumerate(visits):
        assert np.isfinite(visit.state).all(axis=1).tolist() == [True, number == 0]
