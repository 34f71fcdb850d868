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
def test_responses_are_those_of_the_plain_network(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    values, modules = states(architecture, 2)
    tissue = prepare(architecture, TASK, values)
    assert tissue.layers == tuple(architecture.sites(modules[0]))
    for visit, module in enumerate(modules):
        last = module(TASK.stimuli().stimuli.double()).detach().numpy()
        np.testing.assert_allclose(tissue.responses[tissue.layers[-1]][visit], last, atol=1e-10)


class _Strided(Architecture):
    """A strided, padded convolution and a dense layer, both recorded after ReLU."""

    name = "strided"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        conv = nn.Conv2d(1, 3, 3, stride=2, padding=1)
        return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(48, classes), nn.ReLU())

    def sites(self, module: nn.Module) -> dict[str, Site]:
        return {"conv": Site("0", "1"), "dense": Site("3", "4")}


@pytest.mark.parametrize("layer", ["conv", "dense"])
def test_the_jacobian_is_the_true_one(layer: str) -> None:
    architecture = _Strided()
    values, modules = states(architecture)
    tissue = prepare(architecture, TASK, values)
    units = np.array([0, 3, 7])
    found = tissue.jacobian(layer, units)
    for visit, module in enumerate(modules):
        before = nn.Identity() if layer == "conv" else module[:3]
        through = module[:2] if layer == "conv" else module[3:]
        for index, image in enumerate(TASK.stimuli().stimuli.double()[:4]):
            source = before(image[None]).detach()
            whole = torch.func.jacrev(lambda x, f=through: f(x).flatten())(source)
            expected = whole.flatten(1)[units].sum(0).detach().numpy()
            np.testing.assert_allclose(found[visit, index], expected, atol=1e-12)


@pytest.mark.parametrize("name", ["mlp", "knet4", "knet5"])
def test_the_jacobian_of_a_shipped_layer_is_the_true_one(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    values, modules = states(architecture, 2)
    tissue = prepare(architecture, TASK, values)
    for layer, site in architecture.sites(modules[0]).items():
        names = [n for n, _ in modules[0].named_children()]
        first, last = names.index(site.synapse), names.index(site.response) + 1
        units = np.arange(tissue.responses[layer].shape[-1])
        found = tissue.jacobian(layer, units)
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
    tissue = prepare(architecture, TASK, values)
    assert np.isfinite(tissue.responses["conv1"][0]).all()
    assert np.isnan(tissue.responses["fc4"][1]).all()


def test_weights_are_the_forward_kernels() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, modules = states(architecture, 2)
    tissue = prepare(architecture, TASK, values)
    for layer in tissue.layers:
        kernel = dict(modules[1].named_modules())[layer].weight.detach().flatten().numpy()
        np.testing.assert_array_equal(tissue.weights[layer][1], kernel)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_everything_has_the_precision_of_the_states(precision: type) -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 2)
    tissue = prepare(architecture, TASK, values.astype(precision))
    for layer in tissue.layers:
        assert tissue.responses[layer].dtype == precision
        assert tissue.weights[layer].dtype == precision
        assert tissue.jacobian(layer, np.array([0])).dtype == precision


def test_chosen_stimuli_give_the_responses_they_give_among_all() -> None:
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


def test_a_preparation_outlives_the_next_one_and_what_is_done_to_its_arrays() -> None:
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


def test_subjects_prepared_in_threads_are_those_prepared_one_by_one() -> None:
    architecture = ARCHITECTURES["knet4"]()
    values, _ = states(architecture, 6)
    alone = [prepare(architecture, TASK, values[i : i + 1]) for i in range(6)]
    together: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def look(first: int) -> None:
        for index in (first, first + 2, first + 4):
            tissue = prepare(architecture, TASK, values[index : index + 1])
            together[index] = [
                (tissue.responses[layer], tissue.jacobian(layer, np.arange(5)))
                for layer in tissue.layers
            ]

    threads = [threading.Thread(target=look, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(together) == list(range(6))
    for index, tissue in enumerate(alone):
        for layer, (responses, sums) in zip(tissue.layers, together[index], strict=True):
            np.testing.assert_array_equal(responses, tissue.responses[layer])
            np.testing.assert_array_equal(sums, tissue.jacobian(layer, np.arange(5)))


def test_jacobians_can_be_had_where_gradients_are_switched_off() -> None:
    architecture = ARCHITECTURES["mlp"]()
    values, _ = states(architecture, 1)
    with torch.no_grad():
        off = prepare(architecture, TASK, values).jacobian("fc1", np.arange(3))
    on = prepare(architecture, TASK, values).jacobian("fc1", np.arange(3))
    np.testing.assert_array_equal(off, on)


class _InPlace(Architecture):
    """Each layer is recorded before a nonlinearity that would overwrite it."""

    name = "in_place"

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, classes)
        )


def test_a_nonlinearity_in_place_does_not_change_what_is_recorded_before_it() -> None:
    values, modules = states(_InPlace(), 1)
    tissue = prepare(_InPlace(), TASK, values)
    before = modules[0][0](TASK.stimuli().stimuli.double()).detach().flatten(1).numpy()
    assert before.min() < 0
    np.testing.assert_allclose(tissue.responses["0"][0], before, atol=1e-12)


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


def test_a_response_that_the_network_overwrites_is_refused() -> None:
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


def test_a_layer_that_the_network_uses_twice_is_refused() -> None:
    values, _ = states(_Repeated(), 1)
    with pytest.raises(UserError, match="'fc' cannot be recorded: the network uses it more than"):
        prepare(_Repeated(), TASK, values)
