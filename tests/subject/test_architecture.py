from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.subject.tasks.examples import Example
from virtuallab.probes.tissue_geometry import depth_group
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.population import populate

SHAPES = {"8x8": (1, 8, 8), "28x28": (1, 28, 28), "colour": (3, 32, 32)}


def initialised(architecture: Architecture, shape: Shape, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return architecture.build(shape, 10)


def images(shape: Shape, count: int = 2) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_it_gives_one_score_for_each_class(name: str, shape: Shape) -> None:
    network = initialised(ARCHITECTURES[name](), shape).eval()
    assert network(images(shape)).shape == (2, 10)


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_it_can_be_built_for_every_task(name: str, task: str, example: Example) -> None:
    shown = example(task)
    network = initialized_network(ARCHITECTURES[name](), shown, 0).eval()
    assert network(shown.stimuli().stimuli[:2]).shape == (2, shown.outputs)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_weight_has_a_site_and_every_site_exists(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    network = initialised(architecture, (1, 8, 8))
    modules = dict(network.named_modules())
    sites = architecture.sites(network)
    weights = [n for n, m in modules.items() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [site.synapse for site in sites.values()] == weights
    assert all(site.response in modules for site in sites.values())


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_sites_are_reached_from_input_to_output(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    network = initialised(architecture, (1, 8, 8)).eval()
    reached: list[str] = []
    for path, module in network.named_modules():
        module.register_forward_hook(lambda *_, path=path: reached.append(path))
    network(images((1, 8, 8)))
    for site in architecture.sites(network).values():
        assert reached.index(site.synapse) <= reached.index(site.response)
    assert (
        reached.index(list(architecture.sites(network).values())[-1].response) >= len(reached) - 2
    )


@pytest.mark.parametrize("name", ["mlp", "knet4", "knet5"])
def test_the_response_of_a_hidden_layer_is_after_its_nonlinearity(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    network = initialised(architecture, (1, 8, 8))
    responses = [site.response for site in architecture.sites(network).values()]
    modules = dict(network.named_modules())
    assert all(isinstance(modules[path], nn.ReLU) for path in responses[:-1])
    assert isinstance(modules[responses[-1]], nn.Linear)


@pytest.mark.parametrize("name", ["mlp", "knet4", "knet5"])
def test_a_population_of_it_gives_the_scores_of_its_members(name: str) -> None:
    architecture, shape = ARCHITECTURES[name](), (3, 32, 32)
    members = [initialised(architecture, shape, seed).double().eval() for seed in range(2)]
    shown = images(shape).double()
    scores = populate(members)(shown.repeat(1, 2, 1, 1)).view(2, 2, -1)
    for index, member in enumerate(members):
        torch.testing.assert_close(scores[:, index], member(shown), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_an_architecture_is_a_value(name: str) -> None:
    assert ARCHITECTURES[name]() == ARCHITECTURES[name]()
    assert hash(ARCHITECTURES[name]()) == hash(ARCHITECTURES[name]())
    assert ARCHITECTURES[name].name == name


def test_hidden_layers_of_a_perceptron_have_the_units_asked_for() -> None:
    network = initialised(ARCHITECTURES["mlp"](hidden=(7, 5, 3)), (1, 8, 8))
    widths = [m.out_features for m in network.modules() if isinstance(m, nn.Linear)]
    assert widths == [7, 5, 3, 10]


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("alexnet", (2, 2, 4)),
        ("resnet18", (7, 7, 8)),
        ("resnet18v2", (7, 7, 8)),
        ("resnet34", (12, 12, 14)),
        ("resnet34v2", (12, 12, 14)),
        ("knet4", (1, 1, 2)),
        ("knet5", (1, 1, 3)),
    ],
)
def test_layers_are_early_middle_and_deep_as_published(
    name: str, groups: tuple[int, int, int]
) -> None:
    architecture = ARCHITECTURES[name]()
    count = len(architecture.sites(initialised(architecture, (1, 8, 8))))
    found = [depth_group(index, count) for index in range(count)]
    assert found == [depth for depth, layers in enumerate(groups) for _ in range(layers)]
