"""Each optimizer is torch's own, with settings of its own for each subject."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.subject.nets import FEW_NETS, images, initialised_module
from virtuallab.registry import OPTIMIZERS
from virtuallab.subject.network.population import populate
from virtuallab.subject.optimizer import Optimizer
from virtuallab.subject.rule import stack_settings

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

STEPS, BATCH = 50, 7
RATES = (0.003, 0.01, 0.03)

TORCHS: dict[str, tuple[Callable[[float], Optimizer], Callable[..., torch.optim.Optimizer]]] = {
    "sgd": (
        lambda rate: OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.9, weight_decay=1e-3),
        lambda p, rate: torch.optim.SGD(p, rate, momentum=0.9, weight_decay=1e-3),
    ),
    "sgd without momentum": (
        lambda rate: OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.0),
        lambda p, rate: torch.optim.SGD(p, rate),
    ),
    "nesterov": (
        lambda rate: OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.8, nesterov=True),
        lambda p, rate: torch.optim.SGD(p, rate, momentum=0.8, nesterov=True),
    ),
    "adam": (
        lambda rate: OPTIMIZERS["adam"](learning_rate=rate, beta1=0.8, weight_decay=1e-3),
        lambda p, rate: torch.optim.Adam(p, rate, (0.8, 0.999), weight_decay=1e-3),
    ),
}


@pytest.mark.parametrize("net", FEW_NETS)
@pytest.mark.parametrize("name", TORCHS)
def test_fifty_steps_of_each_subject_are_those_of_plain_torch(name: str, net: str) -> None:
    ours, torchs = TORCHS[name]
    modules = [initialised_module(net, seed) for seed in range(len(RATES))]
    population = populate(modules)
    parameters = list(population.parameters())
    optimizer = stack_settings([ours(rate) for rate in RATES], torch.float64)
    state = optimizer.init(parameters)
    plain = [torchs(module.parameters(), rate) for module, rate in zip(modules, RATES, strict=True)]
    labels = torch.arange(BATCH) % 3
    for step in range(STEPS):
        x = images(step, BATCH, len(RATES))
        scores = population(x).view(BATCH * len(RATES), 3)
        each = nn.functional.cross_entropy(
            scores, labels.repeat_interleave(len(RATES)), reduction="none"
        )
        gradients = torch.autograd.grad(each.sum() / BATCH, parameters)
        with torch.no_grad():
            optimizer.update(parameters, gradients, state)
        for place, (module, torch_optimizer) in enumerate(zip(modules, plain, strict=True)):
            loss = nn.functional.cross_entropy(module(x[:, place : place + 1]), labels)
            torch_optimizer.zero_grad()
            loss.backward()
            torch_optimizer.step()
    found = population.state_dict()
    for place, module in enumerate(modules):
        for tensor, expected in module.state_dict().items():
            if expected.is_floating_point():
                torch.testing.assert_close(found[tensor][place], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_settings_of_one_subject_need_no_cohort(name: str) -> None:
    kind, together, alone = OPTIMIZERS[name], torch.ones(2, 3), torch.ones(1, 3)
    step = torch.tensor([[1.0, -2.0, 0.5]])
    stacked, single = stack_settings([kind(), kind()], torch.float32), kind()
    states = stacked.init([together]), single.init([alone])
    for _ in range(3):
        stacked.update([together], [step.repeat(2, 1)], states[0])
        single.update([alone], [step], states[1])
    torch.testing.assert_close(together, alone.repeat(2, 1))
    assert not torch.equal(alone, torch.ones(1, 3))
