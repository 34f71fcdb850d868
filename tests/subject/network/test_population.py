from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.subject.nets import NETS, as_plain, images, initialised_module
from virtuallab.errors import UserError
from virtuallab.subject.network.layers.dropout import PopulationDropout
from virtuallab.subject.network.population import populate

# Torch warns that it copies the input of even kernels; a population pads explicitly.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

EXACT = {"rtol": 0, "atol": 1e-10}


@pytest.mark.parametrize("subjects", [1, 3])
@pytest.mark.parametrize("name", NETS)
def test_each_subject_of_a_population_equals_its_plain_module(name: str, subjects: int) -> None:
    modules = [initialised_module(name, seed) for seed in range(subjects)]
    x, target = images(3, subjects=subjects), torch.arange(7) % 3
    population = populate(modules)
    outputs = population(x).view(7, subjects, 3)
    losses = nn.functional.cross_entropy(
        outputs.transpose(1, 2), target.unsqueeze(1).expand(7, subjects), reduction="none"
    )
    losses.mean(0).sum().backward()
    parameters = dict(population.named_parameters())
    for place, module in enumerate(modules):
        expected = module(x[:, place : place + 1])
        torch.testing.assert_close(outputs[:, place], expected, **EXACT)
        nn.functional.cross_entropy(expected, target).backward()
        for path, parameter in module.named_parameters():
            found = as_plain(module, path, parameters[path].grad[place])
            torch.testing.assert_close(found, parameter.grad, **EXACT)


@pytest.mark.parametrize("name", NETS)
def test_evaluation_uses_each_subjects_running_averages(name: str) -> None:
    modules = [initialised_module(name, seed) for seed in range(3)]
    population = populate(modules)
    x = images(4, subjects=3)
    population(x)
    for place, module in enumerate(modules):
        module(x[:, place : place + 1])
    population.eval()
    outputs = population(x).view(7, 3, -1)
    for place, module in enumerate(modules):
        torch.testing.assert_close(
            outputs[:, place], module.eval()(x[:, place : place + 1]), **EXACT
        )


@pytest.mark.usefixtures("own_random_streams")
def test_dropout_masks_belong_to_the_subject() -> None:
    def noisy(seed: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 3)).double()

    modules = [noisy(seed) for seed in range(3)]
    x = images(5, subjects=3)
    together = populate(modules, [11, 12, 13])(x).view(7, 3, -1)
    alone = populate([modules[1]], [12])(x[:, 1:2])
    torch.testing.assert_close(together[:, 1], alone, **EXACT)
    kept = PopulationDropout(0.25, [1])(torch.ones(1, 100_000, dtype=torch.float64))
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert kept.mean().item() == pytest.approx(1, abs=0.02)


def test_torchvisions_resnet_can_be_a_population() -> None:
    from virtuallab.registry import ARCHITECTURES

    architecture = ARCHITECTURES["torchvision.resnet18"]()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = architecture.build((3, 32, 32), 4).double()
    population = populate([plain, plain])
    # At 32 x 32 the last stage has one position, where batch normalisation over few images would be
    # badly conditioned.
    x = torch.randn(8, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    both = population(x.repeat(1, 2, 1, 1)).view(8, 2, 4)
    expected = plain(x)
    for place in range(2):
        torch.testing.assert_close(both[:, place], expected, rtol=0, atol=1e-9)
    expected.sum().backward()
    both[:, 0].sum().backward()
    parameters = dict(population.named_parameters())
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            size = parameter.grad.abs().max().item()
            found = parameters[name].grad
            torch.testing.assert_close(found[0], parameter.grad, rtol=0, atol=1e-9 * size)
            assert not found[1].any(), "a subject's error reached its neighbour"
            parameter -= 1e-4 * parameter.grad
            parameters[name] -= 1e-4 * found
    after = population(x.repeat(1, 2, 1, 1)).view(8, 2, 4)[:, 0]
    torch.testing.assert_close(after, plain(x), rtol=0, atol=1e-8)


@pytest.mark.usefixtures("own_random_streams")
def test_a_layer_that_mixes_channels_is_rejected_by_name() -> None:
    modules = [nn.Sequential(nn.Conv2d(1, 4, 3), nn.ChannelShuffle(2)) for _ in range(2)]
    with pytest.raises(UserError, match=r"layer '1' is a ChannelShuffle.* each channel alone"):
        populate(modules)
