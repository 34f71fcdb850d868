from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.network.population import populate

pytestmark = pytest.mark.usefixtures("own_random_streams")

TASK = TASKS["digits"]()
SMALL = ["mlp", "knet4", "knet5"]


def members(name: str, count: int = 3) -> list[nn.Module]:
    """Networks that differ in all parameters and running averages."""
    networks = [initialized_network(ARCHITECTURES[name](), TASK, seed) for seed in range(count)]
    for module in networks:
        module.train()(TASK.train().stimuli[:16] * torch.rand(()))
    return networks


@pytest.mark.parametrize("name", SMALL)
def test_tensors_inverts_flatten(name: str) -> None:
    layout, networks = parameter_layout(ARCHITECTURES[name](), TASK), members(name)
    states = layout.flatten(populate(networks))
    assert states.shape == (3, layout.size)
    found = layout.tensors(states)
    for index, network in enumerate(networks):
        kept = {n: t for n, t in network.state_dict().items() if t.is_floating_point()}
        assert list(found) == list(kept)
        for entry, tensor in kept.items():
            assert torch.equal(found[entry][index], tensor)


@pytest.mark.parametrize("name", SMALL)
def test_load_copies_a_state_into_other_networks(name: str) -> None:
    layout = parameter_layout(ARCHITECTURES[name](), TASK)
    states = layout.flatten(populate(members(name)))
    others = populate([initialized_network(ARCHITECTURES[name](), TASK, 99)] * 3)
    assert not torch.equal(layout.flatten(others), states)
    layout.load(others, states)
    assert torch.equal(layout.flatten(others), states)


def test_a_state_is_a_copy() -> None:
    layout, population = parameter_layout(ARCHITECTURES["mlp"](), TASK), populate(members("mlp"))
    states = layout.flatten(population)
    before = states.clone()
    with torch.no_grad():
        for parameter in population.parameters():
            parameter.zero_()
    assert torch.equal(states, before)


def test_running_averages_are_part_of_a_state_and_counters_are_not() -> None:
    names = [entry.name for entry in parameter_layout(ARCHITECTURES["knet4"](), TASK).entries]
    assert "norm1.running_var" in names
    assert "norm1.num_batches_tracked" not in names


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_weights_is_the_position_of_a_layers_kernel(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    layout, network = (
        parameter_layout(architecture, TASK),
        initialized_network(architecture, TASK, 1),
    )
    (state,) = layout.flatten(populate([network]))
    for layer, site in architecture.sites(network).items():
        kernel = network.get_submodule(site.synapse).weight
        assert torch.equal(state[layout.weights(layer)], kernel.flatten())


def test_the_json_of_a_layout_has_all_positions() -> None:
    found = json.loads(parameter_layout(ARCHITECTURES["mlp"](hidden=(5,)), TASK).to_json())
    assert found["parameters"]["fc1.weight"] == [0, 320, [5, 64]]
    assert found["parameters"]["fc1.bias"] == [320, 325, [5]]
    assert found["layers"] == {"fc1": "fc1.weight", "fc2": "fc2.weight"}


def test_a_layer_may_have_another_name_than_its_module() -> None:
    class Renamed(Architecture):
        name = "renamed"

        def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))

        def sites(self, module: nn.Module) -> dict[str, Site]:
            return {"output": Site("1", "1")}

    assert parameter_layout(Renamed(), TASK).weights("output") == slice(0, 640)


class _Gain(nn.Module):
    def __init__(self, persistent: bool) -> None:
        super().__init__()
        self.register_buffer("gain", torch.ones(1), persistent=persistent)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain


class _Gained(Architecture):
    name = "gained"
    persistent = True

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), _Gain(self.persistent), nn.Linear(64, classes))


class _Constant(_Gained):
    persistent = False


def test_a_tensor_that_networks_would_share_is_kept_by_a_population_of_one_alone() -> None:
    (entry, *_) = parameter_layout(_Gained(), TASK).entries
    assert (entry.name, entry.shape) == ("1.gain", (1,))
    network = initialized_network(_Gained(), TASK, 0)
    with pytest.raises(UserError, match=r"'1.gain' is kept outside .* persistent=False"):
        populate([network] * 2)


def test_a_constant_is_not_part_of_a_state() -> None:
    assert [e.name for e in parameter_layout(_Constant(), TASK).entries] == ["2.weight", "2.bias"]
