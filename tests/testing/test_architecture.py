"""Every architecture passes its conformance check, and the check names what one breaks."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.testing import check_architecture


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_an_architecture_of_ours_passes(name: str) -> None:
    check_architecture(name)


def test_it_is_checked_with_its_settings_and_the_given_task() -> None:
    task = TASKS["mnist_5k"](train_images=20, validation_images=10, probe_images=10)
    check_architecture(ARCHITECTURES["knet4"](channels=(2, 2), normalisation="none"), task)


@dataclass(frozen=True, kw_only=True)
class Plain(Architecture):
    """A hidden layer with dropout and batch normalisation, and the read-out."""

    name: ClassVar[str] = "plain"

    def between(self) -> list[nn.Module]:
        return [nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2)]

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        layers = [nn.Flatten(), nn.Linear(64, 6), *self.between(), nn.Linear(6, classes)]
        return nn.Sequential(OrderedDict((f"layer{i}", each) for i, each in enumerate(layers)))


class SoftmaxOfUnits(nn.Module):
    """Normalises over all units that it receives, so over subjects too."""

    def forward(self, x: Tensor) -> Tensor:
        return x.softmax(1)


class Fades(nn.Module):
    """Silences units by torch's global stream."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 0.1, self.training)


class Gains(nn.Module):
    """Has a parameter that a population does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain


class Unbuildable(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(63, classes))


class Mixing(Plain):
    def between(self) -> list[nn.Module]:
        return [SoftmaxOfUnits()]


class Unknown(Plain):
    def between(self) -> list[nn.Module]:
        return [nn.Softmax(1)]


class Parametric(Plain):
    def between(self) -> list[nn.Module]:
        return [Gains()]


class Fading(Plain):
    def between(self) -> list[nn.Module]:
        return [Fades()]


class Arbitrary(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        network = super().build(stimulus_shape, classes)
        scale = float(np.random.default_rng().uniform(0.5, 1))
        with torch.no_grad():
            for tensor in network.parameters():
                tensor.mul_(scale)
        return network


class Constant(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        network = super().build(stimulus_shape, classes)
        for tensor in network.parameters():
            nn.init.constant_(tensor, 0.1)
        return network


class Evaluating(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return super().build(stimulus_shape, classes).eval()


class Finished(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(super().build(stimulus_shape, classes), nn.Sigmoid())


class Idle(nn.Module):
    """Defines a layer between two others and does not use it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.hidden, self.idle, self.answer = nn.Linear(64, 6), nn.Linear(6, 6), nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.hidden(x.flatten(1)))
        return answer


class Unused(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        network = Idle(classes)
        network.answer, network.idle = nn.Linear(6, classes), nn.Linear(6, 6)
        return network


class Turned(Plain):
    def sites(self, module: nn.Module) -> dict[str, Site]:
        return dict(reversed(super().sites(module).items()))


class Misplaced(Plain):
    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {"hidden": Site("layer1", "relu1")}


class Weightless(Plain):
    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {"hidden": Site("layer3", "layer3")}


class Siteless(Plain):
    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {}


class Twice(nn.Module):
    """Uses one rectifier after each of two layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.hidden, self.relu = nn.Linear(64, 6), nn.ReLU()
        self.answer = nn.Linear(6, classes)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.answer(self.relu(self.relu(self.hidden(x.flatten(1)))))
        return answer


class Reused(Plain):
    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return Twice(classes)

    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {"hidden": Site("hidden", "relu")}


def test_one_from_outside_passes() -> None:
    check_architecture(Plain)
    check_architecture(replace(Plain()))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Unbuildable, "is refused: plain cannot be shown images of 8 x 8"),
        (Mixing, "has other scores in training in a population than alone"),
        (
            Unknown,
            "cannot become a population: layer 'layer2' is a Softmax, which",
        ),
        (Parametric, "cannot become a population: layer 'layer2' keeps parameters of its own"),
        (Fading, "draws from torch's global random stream when it is shown images"),
        (Arbitrary, "has other initial weights when it is built again"),
        (Constant, "has the same initial weights for every seed"),
        (Evaluating, "is built in evaluation mode"),
        (Finished, r"changes the output of its last layer, '0\.layer5'"),
        (Unused, "defines 'idle', which it does not use"),
        (Turned, "has sites in the order 'layer5', 'layer1'"),
        (Misplaced, "records layer 'hidden' after 'relu1', which does not exist"),
        (Weightless, "at the weight of 'layer3', which is no convolution"),
        (Siteless, "has no sites"),
        (Reused, "cannot be recorded: 'relu' cannot be recorded: the network uses it more than"),
    ],
)
def test_what_an_architecture_breaks_is_named(broken: type[Architecture], message: str) -> None:
    with pytest.raises(AssertionError, match=f"architecture 'plain' .*{message}"):
        check_architecture(broken)
