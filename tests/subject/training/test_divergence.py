"""Subjects that diverge are marked, and do not affect other subjects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import NETS, images, initialised_module
from tests.subject.network.test_synapse import (
    BATCH,
    DIVERGED,
    SUBJECTS,
    other_signals,
    other_weights,
)
from tests.subject.training.test_trainer import subject
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.population import populate
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import CohortTrainer, train

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


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
