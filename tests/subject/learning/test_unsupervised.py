"""Hidden layers without an error, compared with loops over samples and positions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.subject.cohorts import (
    NETS,
    assert_steps,
    batch,
    gradient,
    inputs,
    network_and_modules,
    part_of_subject,
    rule_of,
)
from virtuallab.registry import RULES
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams

RATES = (0.1, 0.7)


def patches(layer: nn.Module, x: Tensor) -> Tensor:
    """Inputs of a weight matrix, one row for each sample and position."""
    if isinstance(layer, nn.Linear):
        return x
    assert isinstance(layer, nn.Conv2d)
    taps = F.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return taps.transpose(1, 2).flatten(0, 1)


def hebb(x_rows: Tensor, w: Tensor, bias: Tensor, decay: float) -> Tensor:
    increment = torch.zeros_like(w)
    for x in x_rows:
        for unit in range(len(w)):
            increment[unit] += x * max(float(w[unit] @ x + bias[unit]), 0.0) / len(x_rows)
    return increment - decay * w


def oja(x_rows: Tensor, w: Tensor, bias: Tensor, decay: float) -> Tensor:
    increment = torch.zeros_like(w)
    for x in x_rows:
        for unit in range(len(w)):
            z = w[unit] @ x
            increment[unit] += (x * z - z**2 * w[unit]) / len(x_rows)
    return increment


def bcm_with(threshold: Tensor) -> Callable[..., Tensor]:
    def bcm(x_rows: Tensor, w: Tensor, bias: Tensor, decay: float) -> Tensor:
        increment = torch.zeros_like(w)
        for x in x_rows:
            for unit in range(len(w)):
                y = max(float(w[unit] @ x + bias[unit]), 0.0)
                increment[unit] += x * y * (y - threshold[unit]) / len(x_rows)
        return increment - decay * w

    return bcm


def assert_hidden_steps(
    network: Network,
    modules: list[nn.Module],
    updates,  # type: ignore[no-untyped-def]
    stimuli: Tensor,
    growth: Callable[[int, str], Callable[..., Tensor]],
    decays: tuple[float, float],
) -> None:
    for number, module in enumerate(modules):
        layer_inputs = inputs(module, stimuli[:, 2 * number : 2 * number + 2])
        for path, layer in network.hidden.items():
            plain = module.get_submodule(path)
            w = plain.weight.detach().flatten(1)
            bias = torch.zeros(len(w)) if plain.bias is None else plain.bias.detach()
            increment = growth(number, path)(
                patches(plain, layer_inputs[path]), w, bias, decays[number]
            )
            step = updates.forward[network.index_of(layer.weight)][number].flatten(1)
            torch.testing.assert_close(step, -RATES[number] * increment, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", ["hebbian", "oja"])
def test_hidden_updates_equal_a_loop_over_samples_and_positions(name: str, net: str) -> None:
    network, modules = network_and_modules(NETS[net])
    stimuli, labels = batch()
    decays = (0.3, 0.05)
    extra = [{"decay": decay} if name == "hebbian" else {} for decay in decays]
    rule = rule_of(name, *({"rate": r} | e for r, e in zip(RATES, extra, strict=True)))
    updates = rule.compute_updates(network, stimuli, labels, 0)
    naive = hebb if name == "hebbian" else oja
    assert_hidden_steps(network, modules, updates, stimuli, lambda *_: naive, decays)


@pytest.mark.parametrize("net", NETS)
def test_the_threshold_of_bcm_is_a_running_mean_of_the_squared_response(net: str) -> None:
    network, modules = network_and_modules(NETS[net])
    decays, sliding = (0.3, 0.05), (0.2, 0.9)
    rule = rule_of(
        "bcm",
        *(
            {"rate": r, "decay": d, "sliding": s}
            for r, d, s in zip(RATES, decays, sliding, strict=True)
        ),
    )
    thresholds: dict[tuple[int, str], Tensor] = {}

    def slide(number: int, path: str, stimuli: Tensor) -> None:
        plain = modules[number].get_submodule(path)
        layer_inputs = inputs(modules[number], stimuli[:, 2 * number : 2 * number + 2])
        z = patches(plain, layer_inputs[path]) @ plain.weight.detach().flatten(1).T
        z = z if plain.bias is None else z + plain.bias.detach()
        power = z.clamp(min=0).square().mean(0)
        last = thresholds.get((number, path), power)
        thresholds[number, path] = (1 - sliding[number]) * last + sliding[number] * power

    for step in range(3):
        stimuli, labels = batch(seed=step)
        updates = rule.compute_updates(network, stimuli, labels, step)
        for number in range(2):
            for path in network.hidden:
                slide(number, path, stimuli)
        assert_hidden_steps(
            network,
            modules,
            updates,
            stimuli,
            lambda number, path: bcm_with(thresholds[number, path]),
            decays,
        )


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", ["hebbian", "oja", "bcm"])
def test_only_the_readout_and_hidden_weights_change(name: str, net: str) -> None:
    network, modules = network_and_modules(NETS[net])
    stimuli, labels = batch()
    updates = RULES[name]().compute_updates(network, stimuli, labels, 0)
    for number, module in enumerate(modules):
        true = gradient(module, *part_of_subject(stimuli, labels, number))
        assert_steps(updates.forward[-2:], number, true[-2:])
    grows = {network.index_of(layer.weight) for layer in network.hidden.values()}
    for place, step in enumerate(updates.forward[:-2]):
        assert bool(step.any()) == (place in grows)


def test_every_unit_of_oja_converges_to_the_first_principal_component() -> None:
    generator = torch.Generator().manual_seed(2)
    per_subject = torch.tensor([3.0, 1.2, 1.0, 0.7, 0.5, 0.2], dtype=torch.float64)
    axes = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64))[0]
    data = torch.randn(400, 6, generator=generator, dtype=torch.float64) * per_subject @ axes.T
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, 3)).double()
    network = Network(populate([module]), RandomStreams([0]), 300)
    labels = torch.zeros(400, 1, dtype=torch.int64)
    (hidden,) = network.hidden.values()
    for step in range(300):
        updates = RULES["oja"](rate=1.0).compute_updates(
            network, data.view(400, 1, 2, 3), labels, step
        )
        with torch.no_grad():
            hidden.weight -= 0.03 * updates.forward[network.index_of(hidden.weight)]
    first = torch.linalg.svd(data)[2][0]
    for w in hidden.weight[0].detach():
        torch.testing.assert_close(w * torch.sign(w @ first), first, rtol=1e-6, atol=1e-6)
