"""Loss and performance on images on which subjects are not trained."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from virtuallab.registry import ARCHITECTURES, LOSSES, TASKS
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.task import Images
from virtuallab.subject.training.evaluation import CohortEvaluation
from virtuallab.vocabulary import CROSS_ENTROPY, SQUARED_ERROR

COUNT = 300  # more than two batches, and no whole number of them


def module(seed: int, outputs: int = 3) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        norm = nn.BatchNorm2d(1)
        layers = nn.Sequential(norm, nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, outputs))
        norm.running_mean = torch.full((1,), float(seed))
        return layers.double()


def images() -> Images:
    stream = torch.Generator().manual_seed(0)
    stimuli = torch.randn(COUNT, 1, 4, 4, generator=stream, dtype=torch.float64)
    values = torch.randn(COUNT, 1, generator=stream, dtype=torch.float64)
    return Images(stimuli, torch.randint(3, (COUNT,), generator=stream), values)


def network(modules: Sequence[nn.Module], loss: str = CROSS_ENTROPY) -> Network:
    return Network(populate(modules), RandomStreams(range(len(modules))), 1, LOSSES[loss]())


def evaluation(task: str, shown: Images) -> CohortEvaluation:
    return CohortEvaluation(ARCHITECTURES["mlp"](), TASKS[task](), shown, shown)


def of_classes() -> Images:
    shown = images()
    return Images(shown.stimuli, shown.labels)


def test_loss_and_accuracy_are_means_over_all_images_of_each_subject() -> None:
    shown, modules = of_classes(), [module(seed) for seed in range(2)]
    losses, accuracy = evaluation("digits", shown).measure(network(modules))
    for number, each in enumerate(modules):
        scores = each.eval()(shown.stimuli)
        expected = nn.functional.cross_entropy(scores, shown.labels)
        assert losses[number].item() == pytest.approx(expected.item())
        right = (scores.argmax(1) == shown.labels).double().mean()
        assert accuracy[number].item() == pytest.approx(right.item())


def test_the_explained_variance_is_that_of_the_values() -> None:
    shown, modules = images(), [module(seed, 1) for seed in range(2)]
    found = evaluation("rotation", shown).measure(network(modules, "mean_squared_error"))
    for number, each in enumerate(modules):
        error = (each.eval()(shown.stimuli) - shown.values).square().mean()
        assert found[0][number].item() == pytest.approx(error.item())
        expected = 1 - error / shown.values.var(correction=0)
        assert found[1][number].item() == pytest.approx(expected.item())


def test_the_loss_is_the_one_that_is_given() -> None:
    of = evaluation("digits", of_classes())
    one, other = (of.measure(network([module(0)], loss)) for loss in (CROSS_ENTROPY, SQUARED_ERROR))
    assert one[0] != other[0]
    assert one[1] == other[1]


def test_an_evaluation_changes_no_state_and_training_goes_on() -> None:
    made = network([module(0)])
    before = {name: value.clone() for name, value in made.population.state_dict().items()}
    evaluation("digits", of_classes()).measure(made)
    assert made.population.training
    for name, value in made.population.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_batch_shows_the_first_view_of_each_image_and_then_the_second() -> None:
    stream = torch.Generator().manual_seed(0)
    views = torch.randn(6, 2, 1, 4, 4, generator=stream)
    shown = Images(views[:, 0], torch.arange(6), views=views)
    of = CohortEvaluation(ARCHITECTURES["mlp"](), TASKS["digits"](), shown, shown)
    stimuli, labels = of.batch(2, 3, 2)
    assert stimuli.shape == (6, 2, 4, 4)
    assert torch.equal(stimuli[:, :1], torch.cat([views[2:5, 0], views[2:5, 1]]))
    assert labels[:, 1].tolist() == [2, 3, 4, 2, 3, 4]
