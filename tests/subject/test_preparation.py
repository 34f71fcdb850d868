from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.preparation import prepare

TASK = TASKS["digits"](train_images=100, validation_images=20, probe_images=12)


def states(architecture: Architecture, visits: int = 3) -> tuple[np.ndarray, list[nn.Module]]:
    modules = [
        initialized_network(architecture, TASK, seed).double().eval() for seed in range(visits)
    ]
    layout = parameter_layout(architecture, TASK)
    rows = [
        torch.cat([module.state_dict()[e.name].flatten() for e in layout.entries])
        for module in modules
    ]
    return torch.stack(rows).numpy(), modules


@pytest.mark.parametrize("name", ["mlp", "knet4", "knet5", "resnet18"])
def test_responses_equal_those_of_the_plain_network(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    values, modules = states(architecture, 2)
    preparation = prepare(architecture, TASK, values)
    assert preparation.layers == tuple(architecture.sites(modules[0]))
    for visit, module in enumerate(modules):
        last = module(TASK.stimuli().stimuli.double()).detach().numpy()
        np.testing.assert_allclose(
            preparation.responses[preparation.layers[-1]][visit], last, atol=1e-10
        )


@pytest.mark.parametrize("name", ["mlp", "knet4", "knet5"])
def test_the_jacobian_of_each_layer_equals_jacrev(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    values, modules = states(architecture, 2)
    preparation = prepare(architecture, TASK, values)
    for layer, site in architecture.sites(modules[0]).items():
        names = [n for n, _ in modules[0].named_children()]
        first, last = names.index(site.synapse), names.index(site.response) + 1
        units = np.arange(preparation.responses[layer].shape[-1])
        found = preparation.jacobian(layer, units)
        for visit, module in enumerate(modules):
            source = module[:first](TASK.stimuli().stimuli.double()[:1]).detach()
            part = module[first:last]
            whole = torch.func.jacrev(lambda x, f=part: f(x).flatten())(source)
            expected = whole.flatten(1).sum(0).detach().numpy()
            np.testing.assert_allclose(found[visit, 0], expected, atol=1e-10)


def test_a_diverged_visit_gives_nan_and_no_error() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 2)
    values[1] = np.nan
    preparation = prepare(architecture, TASK, values)
    assert np.isfinite(preparation.responses["conv1"][0]).all()
    assert np.isnan(preparation.responses["fc4"][1]).all()


def test_weights_are_the_forward_kernels() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, modules = states(architecture, 2)
    preparation = prepare(architecture, TASK, values)
    for layer in preparation.layers:
        kernel = dict(modules[1].named_modules())[layer].weight.detach().flatten().numpy()
        np.testing.assert_array_equal(preparation.weights[layer][1], kernel)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_everything_has_the_precision_of_the_states(precision: type) -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 2)
    preparation = prepare(architecture, TASK, values.astype(precision))
    for layer in preparation.layers:
        assert preparation.responses[layer].dtype == precision
        assert preparation.weights[layer].dtype == precision
        assert preparation.jacobian(layer, np.array([0])).dtype == precision


def test_selected_stimuli_have_the_same_responses_as_among_all() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 2)
    whole, some = (
        prepare(architecture, TASK, values),
        prepare(architecture, TASK, values, np.array([7, 2])),
    )
    np.testing.assert_array_equal(some.labels, whole.labels[[7, 2]])
    for layer in whole.layers:
        np.testing.assert_allclose(
            some.responses[layer], whole.responses[layer][:, [7, 2]], atol=1e-12
        )


def test_a_preparation_does_not_depend_on_later_ones_or_on_its_arrays() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 4)
    first = prepare(architecture, TASK, values[:1])
    layers = {layer: np.arange(first.responses[layer].shape[-1]) for layer in first.layers}
    before = {layer: first.jacobian(layer, units) for layer, units in layers.items()}
    prepare(architecture, TASK, values[3:])
    for layer in layers:
        first.responses[layer][:] = np.nan
        first.weights[layer][:] = np.nan
    values[:] = 0
    for layer, units in layers.items():
        np.testing.assert_array_equal(first.jacobian(layer, units), before[layer])


def test_subjects_prepared_in_threads_equal_those_prepared_in_turn() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 6)
    alone = [prepare(architecture, TASK, values[i : i + 1]) for i in range(6)]
    together: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def prepare_every_second(first: int) -> None:
        for index in (first, first + 2, first + 4):
            preparation = prepare(architecture, TASK, values[index : index + 1])
            together[index] = [
                (preparation.responses[layer], preparation.jacobian(layer, np.arange(5)))
                for layer in preparation.layers
            ]

    threads = [threading.Thread(target=prepare_every_second, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(together) == list(range(6))
    for index, preparation in enumerate(alone):
        for layer, (responses, sums) in zip(preparation.layers, together[index], strict=True):
            np.testing.assert_array_equal(responses, preparation.responses[layer])
            np.testing.assert_array_equal(sums, preparation.jacobian(layer, np.arange(5)))


def test_jacobians_do_not_need_enabled_gradients() -> None:
    architecture = ARCHITECTURES["mlp"]()
    values, _ = states(architecture, 1)
    with torch.no_grad():
        off = prepare(architecture, TASK, values).jacobian("fc1", np.arange(3))
    on = prepare(architecture, TASK, values).jacobian("fc1", np.arange(3))
    np.testing.assert_array_equal(off, on)


class _InPlace(Architecture):
    """Layers recorded before a nonlinearity that overwrites its input."""

    name = "in_place"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, classes)
        )


def test_a_nonlinearity_in_place_does_not_change_the_response_before_it() -> None:
    values, modules = states(_InPlace(), 1)
    preparation = prepare(_InPlace(), TASK, values)
    before = modules[0][0](TASK.stimuli().stimuli.double()).detach().flatten(1).numpy()
    assert before.min() < 0
    np.testing.assert_allclose(preparation.responses["0"][0], before, atol=1e-12)


class _Doubling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.flat, self.fc, self.relu = nn.Flatten(), nn.Linear(64, 64), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.fc(self.flat(x)))
        x *= 2
        return x


class _Overwritten(Architecture):
    name = "overwritten"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return _Doubling()

    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {"fc": Site("fc", "relu")}


def test_a_response_that_the_network_overwrites_is_rejected() -> None:
    values, _ = states(_Overwritten(), 1)
    with pytest.raises(UserError, match="'relu' cannot be recorded: the network overwrites"):
        prepare(_Overwritten(), TASK, values)


class _Repeating(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.flat, self.fc = nn.Flatten(), nn.Linear(64, 64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.fc(self.flat(x)))


class _Repeated(Architecture):
    name = "repeated"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return _Repeating()


def test_a_layer_that_the_network_uses_twice_is_rejected() -> None:
    values, _ = states(_Repeated(), 1)
    with pytest.raises(UserError, match="'fc' cannot be recorded: the network uses it more than"):
        prepare(_Repeated(), TASK, values)
