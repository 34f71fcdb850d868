"""Normalisations of a population are those of ordinary modules, through several training steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from virtuallab.subject.network.population import populate

pytestmark = pytest.mark.usefixtures("own_random_streams")

SUBJECTS, BATCH, STEPS, RATE = 3, 6, 4, 0.05
EXACT = {"rtol": 0, "atol": 1e-9}


class FirstVersion(nn.Module):
    """Block of a residual network: normalisation after convolution, with a projection shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.norm0 = nn.BatchNorm2d(outputs, momentum=0.1)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs, momentum=0.1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs, momentum=0.1)
        nn.init.constant_(self.norm2.weight, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        changed = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm0(self.shortcut(x)) + self.norm2(self.conv2(changed)))


class SecondVersion(nn.Module):
    """Block of a residual network with normalisation before convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs, momentum=0.1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs, momentum=0.1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = torch.relu(self.norm1(x))
        changed = torch.relu(self.norm2(self.conv1(active)))
        return self.shortcut(active) + self.conv2(changed)


def network(*hidden: nn.Module, outputs: int = 6) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        *hidden,
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * outputs, 4),
    )


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "residual, version 1": lambda: network(FirstVersion(6, 8), FirstVersion(8, 10), outputs=10),
    "residual, version 2": lambda: network(
        SecondVersion(6, 8), SecondVersion(8, 10), nn.BatchNorm2d(10), nn.ReLU(), outputs=10
    ),
    "local response": lambda: network(
        nn.ReLU(), nn.LocalResponseNorm(5, alpha=0.5, beta=0.75, k=1.0), nn.MaxPool2d(2)
    ),
    "local response, even": lambda: network(
        nn.ReLU(), nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=1.2), nn.MaxPool2d(2)
    ),
    "no affine parameters": lambda: network(nn.BatchNorm2d(6, affine=False), nn.ReLU()),
    "no running averages": lambda: network(nn.BatchNorm2d(6, track_running_stats=False), nn.ReLU()),
    "groups": lambda: network(nn.GroupNorm(3, 6), nn.ReLU()),
    "groups, not affine": lambda: network(nn.GroupNorm(2, 6, affine=False), nn.ReLU()),
    "instances": lambda: network(
        nn.InstanceNorm2d(6, affine=True, track_running_stats=True), nn.ReLU()
    ),
    "instances, plain": lambda: network(nn.InstanceNorm2d(6), nn.ReLU()),
    "layer": lambda: network(nn.LayerNorm((6, 8, 8)), nn.ReLU()),
    "layer, without bias": lambda: network(nn.LayerNorm((6, 8, 8), bias=False), nn.ReLU()),
    "layer, not affine": lambda: network(
        nn.LayerNorm((6, 8, 8), elementwise_affine=False), nn.ReLU()
    ),
    "rows": lambda: network(nn.LayerNorm(8), nn.ReLU()),
    "maps": lambda: network(nn.LayerNorm((8, 8)), nn.ReLU()),
    "features": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(128, 7), nn.LayerNorm(7), nn.ReLU(), nn.Linear(7, 4)
    ),
}


def networks(key: str, subjects: int) -> list[nn.Module]:
    made = []
    for seed in range(subjects):
        torch.manual_seed(seed)
        module = NETWORKS[key]()
        for layer in module.modules():
            if isinstance(getattr(layer, "bias", None), nn.Parameter):
                nn.init.uniform_(layer.bias, -0.2, 0.2)
        made.append(module.double())
    return made


@pytest.mark.parametrize("subjects", [1, SUBJECTS])
@pytest.mark.parametrize("key", NETWORKS)
def test_training_steps_are_those_of_ordinary_modules(key: str, subjects: int) -> None:
    """Scores, gradients and running averages at every step, and scores in evaluation after it."""
    plain = networks(key, subjects)
    population = populate(plain)
    parameters = dict(population.named_parameters())
    stream = torch.Generator().manual_seed(5)
    for step in range(STEPS):
        x = 3 * torch.randn(BATCH, 2 * subjects, 8, 8, generator=stream, dtype=torch.float64) + step
        labels = (torch.arange(BATCH) + step) % 4
        scores = population.train()(x).view(BATCH, subjects, 4)
        losses = nn.functional.cross_entropy(
            scores.transpose(1, 2), labels.unsqueeze(1).expand(-1, subjects), reduction="none"
        )
        steps = torch.autograd.grad(losses.mean(0).sum(), list(parameters.values()))
        gradients = dict(zip(parameters, steps, strict=True))
        evaluated = population.eval()(x).view(BATCH, subjects, 4)
        for place, (module, own) in enumerate(zip(plain, x.chunk(subjects, 1), strict=True)):
            expected = module.train()(own)
            torch.testing.assert_close(scores[:, place], expected, **EXACT)
            loss = nn.functional.cross_entropy(expected, labels)
            named = dict(module.named_parameters())
            for name, step_of in zip(
                named, torch.autograd.grad(loss, list(named.values())), strict=True
            ):
                torch.testing.assert_close(gradients[name][place], step_of, **EXACT)
                with torch.no_grad():
                    named[name] -= RATE * step_of
            for name, average in module.named_buffers():
                if average.is_floating_point():
                    found = dict(population.named_buffers())[name][place]
                    torch.testing.assert_close(found, average, **EXACT)
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter -= RATE * gradients[name]
        after = population(x).view(BATCH, subjects, 4)
        assert not torch.equal(after, evaluated), "the step changed nothing"
        for place, (module, own) in enumerate(zip(plain, x.chunk(subjects, 1), strict=True)):
            torch.testing.assert_close(after[:, place], module.eval()(own), **EXACT)
