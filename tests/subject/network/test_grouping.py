"""Networks that mix channels are found, and run one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.subject.nets import Transformer
from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network import grouping
from virtuallab.subject.network.grouping import population_problem, subject_axes
from virtuallab.subject.network.initialization import forward_network, initialized_network
from virtuallab.subject.network.layer import layers_of
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.preparation import prepare
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.compatibility import incompatibility
from virtuallab.subject.training.short_run import short_runs
from virtuallab.subject.training.trainer import CohortTrainer, train
from virtuallab.testing import check_architecture

TASK = TASKS["digits"](train_images=40, validation_images=10, probe_images=10)


class Function(nn.Module):
    """A module of a user, without weights."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Routed(nn.Module):
    """A convolution, a layer, a function in the forward pass, and a dense layer."""

    def __init__(self, layer: nn.Module, units: int, route: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.layer = nn.Conv2d(1, 4, 3, padding=1), layer
        self.route, self.fc = route, nn.Linear(units, 10)

    def forward(self, x: Tensor) -> Tensor:
        mapped = self.layer(torch.relu(self.conv(x)))
        return self.fc(self.route(mapped).flatten(1))


class OwnToken(nn.Module):
    """Tokens with parameters and a running average of the module's own."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.recurrent = nn.GRU(8, 8, batch_first=True)
        self.fc = nn.Linear(8, 10)
        self.register_buffer("level", torch.zeros(8))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], 1)
        mixed = tokens + self.attention(tokens, tokens, tokens)[0]
        if self.training:
            self.level.mul_(0.9).add_(0.1 * mixed.detach().mean((0, 1)))
        return self.fc(self.recurrent(mixed - self.level)[0][:, 0])


class ReadsWeight(nn.Module):
    """A forward pass that reads the weight of a layer, in place of calling it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(64, 10)
        self.flatten = nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        scores = self.fc(self.flatten(x))
        return scores + nn.functional.linear(self.flatten(x), self.fc.weight)


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)
        self.second.weight = self.first.weight
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.second(torch.relu(self.first(x.flatten(1))))))


def same(x: Tensor) -> Tensor:
    return x


def shuffled(x: Tensor) -> Tensor:
    return x.view(len(x), 2, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "a function": lambda: Routed(Function(lambda x: 2 * x), 256, same),
    "dropout": lambda: Routed(nn.Dropout(0.5), 256, same),
    "mean": lambda: Routed(nn.Identity(), 64, lambda x: x.mean(1)),
    "cat": lambda: Routed(nn.Identity(), 512, lambda x: torch.cat([x, x.flip(1)], 1)),
    "softmax": lambda: Routed(Function(lambda x: x.softmax(1)), 256, same),
    "shuffle": lambda: Routed(Function(shuffled), 256, same),
    "dropout and flip": lambda: Routed(nn.Dropout(0.5), 256, lambda x: x.flip(1)),
    "Softmax": lambda: Routed(nn.Softmax(1), 256, same),
    "GLU": lambda: Routed(nn.GLU(1), 128, same),
    "PixelShuffle": lambda: Routed(nn.PixelShuffle(2), 256, same),
    "own": OwnToken,
    "functional dropout": lambda: Routed(Function(nn.functional.dropout), 256, same),
    "reads": ReadsWeight,
    "tied": Tied,
    "weight norm": lambda: Routed(
        nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1)), 256, same
    ),
    "no momentum": lambda: Routed(nn.BatchNorm2d(4, momentum=None), 256, same),
}


@dataclass(frozen=True, kw_only=True)
class _Given(Architecture):
    name: ClassVar[str] = "given"

    key: str

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return NETWORKS[self.key]()


@dataclass(frozen=True, kw_only=True)
class _Tokens(Architecture):
    name: ClassVar[str] = "tokens"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        network = Transformer()
        network.readout = nn.Linear(6, classes)
        return network


@pytest.mark.parametrize("key", ["a function", "dropout"])
def test_a_module_that_treats_each_channel_alone_can_be_in_a_population(key: str) -> None:
    assert population_problem(_Given(key=key), TASK) is None


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("mean", "layer 'fc' .Linear. fails"),
        ("cat", "the network mixes channels of different subjects before layer 'fc' .Linear."),
        ("softmax", "forward pass of layer 'layer' .Function. mixes channels"),
        ("shuffle", "forward pass of layer 'layer' .Function. mixes channels"),
        ("dropout and flip", "mixes channels of different subjects before layer 'fc'"),
        ("Softmax", "layer 'layer' is a Softmax"),
        ("GLU", "layer 'layer' is a GLU"),
        ("PixelShuffle", "layer 'layer' is a PixelShuffle"),
        ("own", "the network keeps parameters of its own|'level' is kept outside"),
    ],
)
def test_a_network_that_mixes_channels_is_told_with_its_layer(key: str, named: str) -> None:
    problem = population_problem(_Given(key=key), TASK)
    assert problem is not None
    assert re.search(named, problem)
    assert "cohort: 1" in problem


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("functional dropout", "global random stream"),
        ("reads", "cannot be trained: .* fails"),
        ("tied", "'second.weight' is the same tensor"),
        ("weight norm", "layer 'layer' is a ParametrizedConv2d"),
        ("no momentum", "momentum"),
    ],
)
@pytest.mark.usefixtures("own_random_streams")
def test_a_network_that_cannot_be_trained_alone_is_refused(key: str, named: str) -> None:
    with pytest.raises(UserError, match=named):
        population_problem(_Given(key=key), TASK)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "resnet18"])
def test_known_modules_are_populations_by_measurement_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "_KNOWN", ("none",))
    measured = population_problem.__wrapped__(ARCHITECTURES[name](), TASK)
    assert measured is None


def subject(architecture: Architecture, rule: str = "backprop", number: int = 0) -> Subject:
    return Subject(
        architecture=architecture,
        task=TASK,
        rule=RULES[rule](),
        optimizer=OPTIMIZERS["sgd"](learning_rate=0.05, momentum=0.0),
        label=rule,
        batch_size=8,
        steps=4,
        replicate=number,
        seed=0,
    )


OWN = _Given(key="own")


def test_a_cohort_of_networks_that_mix_channels_is_refused() -> None:
    together = Cohort((subject(OWN), subject(OWN, number=1)))
    with pytest.raises(UserError, match="cohort: 1"):
        train(together, [0, 1], lambda _: None)


def test_a_network_of_ones_own_is_trained_as_by_torch() -> None:
    """Parameters outside the known layers learn, and its running average is that of the module."""
    trainer = CohortTrainer(Cohort((subject(OWN),)), torch.float64, "cpu")
    plain = forward_network(subject(OWN)).double()
    optimizer = torch.optim.SGD(plain.parameters(), 0.05)
    batches = trainer.batches()
    for step in range(3):
        stimuli, labels = next(batches)
        trainer.training_step(stimuli, labels, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(plain(stimuli), labels[:, 0]).backward()
        optimizer.step()
    found = trainer.population.state_dict()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(found[name][0], tensor, rtol=0, atol=1e-10)
        assert found[name].shape == (1, *tensor.shape)


def test_layers_inside_a_module_of_torch_belong_to_that_module() -> None:
    network = initialized_network(OWN, TASK, 0)
    assert list(OWN.sites(network)) == ["patches", "fc"]
    assert list(dict(layers_of(populate([network])))) == ["patches", "fc"]


def visits_of(architecture: Architecture, subjects: int) -> np.ndarray:
    networks = [initialized_network(architecture, TASK, seed) for seed in range(subjects)]
    layout = parameter_layout(architecture, TASK)
    return np.concatenate([layout.flatten(populate([n])).numpy() for n in networks])


def test_visits_of_networks_that_mix_channels_are_shown_stimuli_one_by_one() -> None:
    states = visits_of(OWN, 3)
    prepared = prepare(OWN, TASK, states)
    shown = TASK.stimuli().stimuli
    for visit in range(3):
        plain = initialized_network(OWN, TASK, visit).eval()
        with torch.no_grad():
            scores = plain(shown).numpy()
        np.testing.assert_allclose(prepared.responses["fc"][visit], scores, rtol=0, atol=1e-5)
    units = np.array([0, 3])
    jacobian = prepared.jacobian("fc", units)
    assert jacobian.shape == (3, len(shown), 8)
    weights = prepared.weights["fc"].reshape(3, 10, 8)[:, units].sum(1)
    np.testing.assert_allclose(jacobian, np.repeat(weights[:, None], len(shown), 1), atol=1e-6)


def test_units_of_tokens_do_not_depend_on_the_number_of_visits() -> None:
    """Units are in the order of features, then tokens, as the map of a response has them."""
    tokens = _Tokens()
    assert population_problem(tokens, TASK) is None
    assert subject_axes(tokens, TASK)["block.wide"].output == 2
    states = visits_of(tokens, 3)
    together, shown = prepare(tokens, TASK, states), TASK.stimuli().stimuli
    assert together.maps["block.wide"] == (10, 1, 16)
    assert together.inputs["block.wide"] == 6 * 16
    for visit in range(3):
        alone = prepare(tokens, TASK, states[visit : visit + 1])
        for layer in together.layers:
            found, expected = together.responses[layer][visit], alone.responses[layer][0]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
            units = np.arange(0, found.shape[1], 3)
            np.testing.assert_allclose(
                together.jacobian(layer, units)[visit],
                alone.jacobian(layer, units)[0],
                rtol=0,
                atol=1e-5,
            )
        plain = initialized_network(tokens, TASK, visit).eval()
        kept: list[Tensor] = []
        plain.block.wide.register_forward_hook(lambda *each, kept=kept: kept.append(each[2]))
        with torch.no_grad():
            plain(shown)
        by_feature = kept[0].transpose(1, 2).flatten(1).numpy()
        np.testing.assert_allclose(
            together.responses["block.wide"][visit], by_feature, rtol=0, atol=1e-5
        )


def test_short_runs_of_networks_that_mix_channels_are_those_of_each_alone() -> None:
    subjects = [subject(OWN), subject(OWN, number=1)]
    assert short_runs(subjects) == tuple(short_runs([each])[0] for each in subjects)


def test_a_rule_for_dense_layers_refuses_dense_layers_at_several_positions() -> None:
    rule = RULES["difference_target_propagation"]()

    @dataclass(frozen=True, kw_only=True)
    class Positions(Architecture):
        name: ClassVar[str] = "positions"

        def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
            rows = Function(lambda x: x.flatten(2).unflatten(2, (8, 8)).flatten(1, 2))
            return nn.Sequential(rows, nn.Linear(8, 4), nn.Flatten(), nn.Linear(32, classes))

    message = incompatibility(rule, Positions(), TASK)
    assert message is not None
    assert "'1' of positions is a dense layer used at several positions" in message


@pytest.mark.parametrize("key", ["own", "softmax", "mean"])
def test_a_network_that_mixes_channels_passes_the_check_of_architectures_run_one_by_one(
    key: str,
) -> None:
    check_architecture(_Given(key=key), TASK, one_by_one=True)
    with pytest.raises((AssertionError, RuntimeError)):
        check_architecture(_Given(key=key), TASK)
