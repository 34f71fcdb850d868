"""Gradients of a chain are those of automatic differentiation, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.subject.cohorts import batch, conv, mlp, network_and_modules, normalised, smooth
from virtuallab.registry import ARCHITECTURES, LOSSES, TASKS
from virtuallab.subject.network.build import build
from virtuallab.subject.network.chain import Chain
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.network.residual import Branches, Residual


def unusual() -> nn.Module:
    """Chain of modules that are differentiated one by one, among others."""
    return nn.Sequential(
        nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.GELU()),
        nn.LocalResponseNorm(3),
        nn.AdaptiveAvgPool2d(2),
        nn.Dropout(0.4),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.GroupNorm(2, 4),
        nn.Flatten(),
        nn.Linear(16, 6),
        nn.BatchNorm1d(6),
        nn.Tanh(),
        nn.Linear(6, 5, bias=False),
        nn.LayerNorm(5),
        nn.Dropout(0.2),
        nn.Linear(5, 4),
    )


def overlapping() -> nn.Module:
    """Pooling windows that overlap and go beyond the margin; no bias; no affine normalisation."""
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=2, dilation=2, bias=False),
        nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
        nn.BatchNorm2d(3, affine=False),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.Flatten(),
        nn.Linear(27, 4),
    )


class Block(Residual):
    """Block of any modules."""

    def __init__(self, **parts: list[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({name: nn.ModuleList(part) for name, part in parts.items()})

    def branches(self) -> Branches:
        parts = dict(self.parts.items())
        return Branches(*([*parts.get(name, ())] for name in Branches._fields))


def residual() -> nn.Module:
    """Blocks at the input, of several kinds; branches without layers; a block within a block."""
    inner = Block(before=[nn.BatchNorm2d(4)], main=[nn.Conv2d(4, 4, 3, padding=1)])
    return nn.Sequential(
        Block(shortcut=[nn.Tanh()], main=[nn.ReLU(), nn.Conv2d(2, 2, 1)]),
        Block(before=[nn.Conv2d(2, 4, 1)], shortcut=[nn.Conv2d(4, 4, 1)], main=[inner]),
        Block(shortcut=[nn.AvgPool2d(2)], main=[nn.MaxPool2d(2)], after=[nn.ReLU()]),
        nn.Flatten(),
        Block(main=[nn.Linear(36, 36), nn.Tanh()]),
        nn.Linear(36, 4),
    )


NETS = {f.__name__: f for f in (mlp, smooth, conv, normalised, unusual, overlapping, residual)}


class AddsItsInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.inner(x)
        return result


def halved(layer: PopulationLayer, error: Tensor, x: Tensor) -> Tensor:
    return x / 2


PATHWAYS: dict[str, Callable[[], FeedbackPathway | None]] = {
    "forward weights": lambda: None,
    "backward weights": lambda: FeedbackPathway(record=False),
    "recorded": lambda: FeedbackPathway(record=True),
    "sent by a rule": lambda: FeedbackPathway(record=True, send=halved),
}


def differentiated(
    network: Network, stimuli: Tensor, targets: Tensor, pathway: FeedbackPathway | None
) -> tuple[Tensor, list[Tensor]]:
    """Losses and gradients by automatic differentiation of the whole network."""
    with network.using(pathway):
        losses = network.losses(network.scores(stimuli), targets).mean(0)
    return losses.detach(), network.gradients(losses)


def check_same(
    network: Network,
    stimuli: Tensor,
    targets: Tensor,
    pathway: Callable[[], FeedbackPathway | None],
) -> None:
    ours, theirs = pathway(), pathway()
    state = {name: value.clone() for name, value in network.population.state_dict().items()}
    streams = [s for m in network.population.modules() for s in getattr(m, "streams", ())]
    drawn = [stream.get_state() for stream in streams]
    losses, gradients = network.loss_and_gradients(stimuli, targets, ours)
    changed = {name: value.clone() for name, value in network.population.state_dict().items()}
    network.population.load_state_dict(state)
    for stream, before in zip(streams, drawn, strict=True):
        stream.set_state(before)
    expected, found = differentiated(network, stimuli, targets, theirs)
    assert torch.equal(losses, expected)
    names = [name for name, _ in network.population.named_parameters()]
    for name, one, other in zip(names, gradients, found, strict=True):
        assert torch.equal(one, other), name
    for name, value in network.population.state_dict().items():
        assert torch.equal(value, changed[name]), name
    if ours is None or theirs is None:
        return
    assert list(ours.traces) == list(theirs.traces)
    for layer, trace in ours.traces.items():
        for signal in ("pre", "post", "error", "down"):
            one, other = getattr(trace, signal), getattr(theirs.traces[layer], signal)
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other), signal


@pytest.mark.parametrize("pathway", PATHWAYS)
@pytest.mark.parametrize("subjects", [1, 3])
@pytest.mark.parametrize("net", NETS)
def test_gradients_and_signals_are_those_of_automatic_differentiation(
    net: str, subjects: int, pathway: str
) -> None:
    network, _ = network_and_modules(NETS[net], subjects)
    assert Chain.of(network.population, subjects)
    check_same(network, *batch(subjects), PATHWAYS[pathway])


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_networks_of_the_package_are_chains(name: str, own_random_streams: None) -> None:
    images = TASKS["digits"]().train()
    modules = [build(ARCHITECTURES[name](), TASKS["digits"]()) for _ in range(2)]
    network = Network(populate(modules), RandomStreams([]), 10)
    assert Chain.of(network.population, 2)
    chosen = torch.arange(40).view(20, 2)
    stimuli, labels = images.stimuli[chosen].flatten(1, 2), images.labels[chosen]
    check_same(network, stimuli, labels, PATHWAYS["forward weights"])


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - {"nt_xent", "mean_squared_error"}))
def test_the_error_of_a_loss_is_its_gradient(loss: str) -> None:
    scores = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(1))
    classes = torch.arange(15).view(5, 3) % 4
    losses, error = LOSSES[loss]().with_error(scores, classes)
    leaf = scores.clone().requires_grad_()
    expected = LOSSES[loss]()(leaf, classes)
    assert torch.equal(losses, expected.detach())
    assert torch.equal(error, torch.autograd.grad(expected.mean(0).sum(), leaf)[0])


@pytest.mark.parametrize(
    "modules",
    [
        [AddsItsInput(), nn.Flatten(), nn.Linear(72, 4)],
        [nn.Conv2d(2, 2, 2, padding="same"), nn.Flatten(), nn.Linear(72, 4)],
        [nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, 4)],
        [nn.Linear(6, 4), nn.Flatten(), nn.Linear(48, 4)],
        [nn.Flatten(), nn.Linear(72, 4), nn.Unflatten(1, (4, 1, 1))],
        [nn.Conv2d(2, 4, 6)],
        [Block(main=[nn.Flatten()]), nn.Linear(72, 4)],
    ],
    ids=[
        *("own forward pass", "padded first", "in place", "at every row", "unflattened"),
        *("never dense", "flat branch"),
    ],
)
def test_other_networks_are_left_to_automatic_differentiation(modules: list[nn.Module]) -> None:
    network, _ = network_and_modules(lambda: nn.Sequential(*modules), 2)
    assert Chain.of(network.population, 2) is None


def test_a_subject_in_a_chain_does_not_depend_on_others() -> None:
    stimuli, labels = batch(2)
    pair, modules = network_and_modules(conv, 2)
    alone = Network(populate(modules[1:]), RandomStreams([]), 10)
    _, of_pair = pair.loss_and_gradients(stimuli, labels)
    _, own = alone.loss_and_gradients(stimuli[:, 2:], labels[:, 1:])
    for one, other in zip(of_pair, own, strict=True):
        torch.testing.assert_close(one[1:], other)
