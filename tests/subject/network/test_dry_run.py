"""The sizes of a network are found before it is built for a subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from torch import nn

from virtuallab.errors import UserError
from virtuallab.fields import setting
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network.dry_run import dry_run

DIGITS = TASKS["digits"]()
CONTRASTIVE = TASKS["contrastive"](of=DIGITS)


@dataclass(frozen=True, kw_only=True)
class Normalised(Architecture):
    name: ClassVar[str] = "normalised"
    channels: int = setting(3, doc="Of the convolution.")

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, self.channels, 3, bias=False),
            nn.BatchNorm2d(self.channels),
            nn.Flatten(),
            nn.Linear(36 * self.channels, classes),
        )


@dataclass(frozen=True, kw_only=True)
class Deep(Architecture):
    name: ClassVar[str] = "deep"
    layers: int = setting(1, doc="Number of dense layers.")

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        hidden = [nn.Linear(64, 64) for _ in range(self.layers - 1)]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, classes))


def test_running_averages_count_as_weights_and_responses_are_those_to_one_image() -> None:
    found = dry_run(Normalised(), DIGITS, 10**6)
    norm = 4 * 3 + 1  # scale, offset, mean and variance, and the number of batches
    assert found.weights == 27 + norm + 1080 + 10
    assert found.activities == 3 * 108 + 10
    assert found.fewest == 1  # a convolution is normalised over positions too


def test_what_normalises_over_the_batch_is_the_network_or_the_head_of_the_task() -> None:
    assert dry_run(Deep(layers=2), DIGITS, 10**6).normalised == ""
    assert (
        dry_run(Deep(layers=2), CONTRASTIVE, 10**6).normalised == "the head of task 'contrastive'"
    )
    assert dry_run(ARCHITECTURES["knet4"](), CONTRASTIVE, 10**6).normalised == "knet4"


def test_a_network_with_more_weights_than_allowed_is_refused() -> None:
    most = dry_run(Normalised(), DIGITS, 10**6).weights
    assert dry_run(Normalised(), DIGITS, most).weights == most
    with pytest.raises(UserError, match=rf"has {most:,} weights; at most {most - 1:,} are possib"):
        dry_run(Normalised(), DIGITS, most - 1)


def test_memory_is_not_allocated_for_a_network_that_is_refused() -> None:
    channels = 10**11  # 400 GB for the kernels alone
    with pytest.raises(UserError, match=r"normalised has .* weights; at most"):
        dry_run(Normalised(channels=channels), DIGITS, 10**6)


def test_more_than_500_layers_are_refused_and_the_next_network_is_counted_anew() -> None:
    assert dry_run(Deep(layers=500), DIGITS, 10**9).weights == 499 * 65 * 64 + 650
    with pytest.raises(UserError, match="deep has more than 500 layers with weights"):
        dry_run(Deep(layers=501), DIGITS, 10**9)
    assert dry_run(Deep(layers=499), DIGITS, 10**9).weights == 498 * 65 * 64 + 650
