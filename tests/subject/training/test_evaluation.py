"""Loss and accuracy on images on which subjects are not trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Images
from virtuallab.subject.training.evaluation import evaluate
from virtuallab.vocabulary import CROSS_ENTROPY, SQUARED_ERROR

COUNT = 300  # more than two batches, and no whole number of them


def module(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        norm = nn.BatchNorm2d(1)
        layers = nn.Sequential(norm, nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 3)).double()
        norm.running_mean = torch.full((1,), float(seed), dtype=torch.float64)
        return layers


def images() -> Images:
    stream = torch.Generator().manual_seed(0)
    stimuli = torch.randn(COUNT, 1, 4, 4, generator=stream, dtype=torch.float64)
    return Images(stimuli, torch.randint(3, (COUNT,), generator=stream))


def test_loss_and_accuracy_are_means_over_all_images_of_each_subject() -> None:
    shown, modules = images(), [module(seed) for seed in range(2)]
    losses, accuracy = evaluate(populate(modules), shown, 2)
    for number, each in enumerate(modules):
        scores = each.eval()(shown.stimuli)
        expected = nn.functional.cross_entropy(scores, shown.labels)
        assert losses[number].item() == pytest.approx(expected.item())
        right = (scores.argmax(1) == shown.labels).double().mean()
        assert accuracy[number].item() == pytest.approx(right.item())


def test_the_loss_is_the_one_that_is_named() -> None:
    population = populate([module(0)])
    one, other = (
        evaluate(population, images(), 1, loss) for loss in (CROSS_ENTROPY, SQUARED_ERROR)
    )
    assert one[0] != other[0]
    assert one[1] == other[1]


def test_an_evaluation_changes_no_state_and_training_goes_on() -> None:
    population = populate([module(0)])
    before = {name: value.clone() for name, value in population.state_dict().items()}
    evaluate(population, images(), 1)
    assert population.training
    for name, value in population.state_dict().items():
        assert torch.equal(value, before[name]), name
