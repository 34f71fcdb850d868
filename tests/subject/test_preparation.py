from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.birth import born
from virtuallab.subject.preparation import prepare
from virtuallab.subject.state import layout_of

TASK = TASKS["digits"](train_images=100, validation_images=20, probe_images=12)


def states(architecture: Architecture, visits: int = 3) -> tuple[np.ndarray, list[nn.Module]]:
    modules = [born(architecture, TASK, seed).double().eval() for seed in range(visits)]
    layout = layout_of(architecture, TASK)
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
