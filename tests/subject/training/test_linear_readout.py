"""Linear read-outs of a hidden layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier
from torch import nn

from virtuallab.subject.network.network import Network
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.task import Images
from virtuallab.subject.training.linear_readout import readout_accuracy


def module(seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 2)).double()


def images(count: int, seed: int) -> Images:
    """Three classes that lie apart by less than their spread."""
    stream = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    stimuli = torch.randn(count, 1, 4, 4, generator=stream, dtype=torch.float64)
    stimuli[torch.arange(count), 0, 0, labels] += 1.5
    return Images(stimuli, labels)


def test_the_accuracy_is_that_of_a_ridge_regression_on_the_responses() -> None:
    modules, train, validation = [module(1), module(2)], images(150, 0), images(200, 1)
    network = Network(populate(modules).eval(), RandomStreams([0, 1]), 1)
    found = readout_accuracy(network, "3", train, validation)
    for number, each in enumerate(modules):
        seen, new = (each[:3](part.stimuli).detach().numpy() for part in (train, validation))
        penalty = 1e-3 * np.square(seen - seen.mean(0)).sum(0).mean()
        fitted = RidgeClassifier(alpha=penalty).fit(seen, train.labels)
        expected = fitted.score(new, validation.labels)
        assert 0.4 < expected < 0.9
        assert found[number].item() == pytest.approx(expected, abs=0.011)


def test_labels_that_have_nothing_to_do_with_the_images_are_read_at_chance() -> None:
    stream = torch.Generator().manual_seed(3)
    train, validation = (
        Images(part.stimuli, torch.randint(3, (len(part.labels),), generator=stream))
        for part in (images(600, 0), images(600, 1))
    )
    network = Network(populate([module(1)]).eval(), RandomStreams([0]), 1)
    assert readout_accuracy(network, "3", train, validation).item() == pytest.approx(
        1 / 3, abs=0.07
    )


def test_a_subject_that_diverged_has_no_accuracy_and_the_others_keep_theirs() -> None:
    modules, train, validation = [module(1), module(2)], images(150, 0), images(60, 1)
    alone = Network(populate(modules[1:]).eval(), RandomStreams([0]), 1)
    expected = readout_accuracy(alone, "3", train, validation)
    with torch.no_grad():
        modules[0][1].weight.fill_(torch.nan)
    network = Network(populate(modules).eval(), RandomStreams([0, 1]), 1)
    found = readout_accuracy(network, "3", train, validation)
    assert found.isnan().tolist() == [True, False]
    assert found[1].item() == expected.item()
