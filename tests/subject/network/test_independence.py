"""Networks that would mix the subjects of a population are refused with the layer's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.fields import setting
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network.independence import check_independence

DIGITS = TASKS["digits"]()


class Branches(nn.Module):
    """Two convolutions whose responses are joined in one of several ways."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.first, self.relu = nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.LocalResponseNorm(3)
        self.third = nn.Conv2d(8 if way == "cat" else 2 if way == "chunk" else 4, 4, 1)
        self.readout = nn.Linear(4 * 64, 10)

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.first(x))
        b = self.norm(self.relu(self.second(a)))
        match self.way:
            case "sum":
                joined = a + self.drop(b)
            case "cat":
                joined = torch.cat([a, b], 1)
            case "chunk":
                joined = b.chunk(2, 1)[0]
            case "flip":
                joined = b.flip(1)
            case _:
                joined = nn.functional.dropout(b, 0.5, self.training)
        return self.readout(self.third(joined).flatten(1))


@dataclass(frozen=True, kw_only=True)
class Joined(Architecture):
    """Network from outside."""

    name: ClassVar[str] = "joined"
    way: str = setting(doc="Way in which branches are joined.")
    last: str = setting("", doc="What is done with the scores.")

    def build(self, stimulus_shape: Shape, outputs: int) -> nn.Module:
        return nn.Sequential(Branches(self.way), Flipped() if self.last else nn.Identity())


class Flipped(nn.Module):
    """Turns the order of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        turned: Tensor = self.inner(x).flip(1)
        return turned


def test_a_network_that_adds_signals_passes_with_dropout_and_normalisation() -> None:
    check_independence(Joined(way="sum"), DIGITS)


@pytest.mark.parametrize("name", ["alexnet", "knet4", "mlp", "resnet18", "resnet18v2"])
def test_networks_of_ours_pass(name: str) -> None:
    check_independence(ARCHITECTURES[name](), DIGITS)


@pytest.mark.parametrize("way", ["cat", "chunk", "flip"])
def test_a_network_that_combines_channels_is_refused_with_the_layer_after_it(way: str) -> None:
    words = r"^joined cannot be a population: the output of layer '0\.third' is not that of"
    with pytest.raises(UserError, match=words):
        check_independence(Joined(way=way), DIGITS)


def test_a_network_that_combines_its_scores_is_refused() -> None:
    with pytest.raises(UserError, match="population: its output is not that of a network alone"):
        check_independence(Joined(way="sum", last="flip"), DIGITS)


def test_a_network_that_draws_from_the_global_stream_is_refused_and_leaves_it_as_it_was() -> None:
    with pytest.raises(UserError, match=r"draws from torch's global random stream"):
        check_independence(Joined(way="dropout"), DIGITS)
