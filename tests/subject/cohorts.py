"""Small cohorts, to be compared with loops over subjects that are plain torch modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from virtuallab.registry import ARCHITECTURES, LOSSES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.random_streams import RandomStreams
from virtuallab.subject.rule import Rule, stack_settings
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer
from virtuallab.vocabulary import CROSS_ENTROPY

CLASSES, CHANNELS, FIELD = 4, 2, (6, 6)


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(72, 7),
        nn.ReLU(),
        nn.Linear(7, 6),
        nn.ReLU(),
        nn.Linear(6, CLASSES),
    )


def smooth() -> nn.Module:
    """Smooth network, for which expansions for small perturbations hold."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(72, 5),
        nn.Tanh(),
        nn.Linear(5, 4),
        nn.Tanh(),
        nn.Linear(4, CLASSES),
    )


def conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 5, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20, CLASSES),
    )


def normalised() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, 3, 3, padding=1, bias=False),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(3, 5, 2),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(20, CLASSES),
    )


NETS = {"mlp": mlp, "conv": conv, "normalised": normalised}


def initialised_modules(
    make: Callable[[], nn.Module], subjects: int, first: int = 0
) -> list[nn.Module]:
    modules = []
    for seed in range(first, first + subjects):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            modules.append(make().double())
    return modules


def network_and_modules(
    make: Callable[[], nn.Module], subjects: int = 2, length: int = 10, loss: str = CROSS_ENTROPY
) -> tuple[Network, list[nn.Module]]:
    """Network with backward weights, and plain modules of its subjects with the same weights."""
    modules = initialised_modules(make, subjects)
    network = Network(
        populate(modules), RandomStreams(range(50, 50 + subjects)), length, LOSSES[loss]()
    )
    backward = Network(
        populate(initialised_modules(make, subjects, 100)), RandomStreams([]), length
    )
    for layer, other in zip(network.layers.values(), backward.layers.values(), strict=True):
        layer.backward_weight = other.weight.detach()
    return network, modules


def repeated_subject(make: Callable[[], nn.Module], draws: int) -> tuple[Network, nn.Module]:
    """Network of copies of one subject that differ only in their random streams, and its module."""
    (module,) = initialised_modules(make, 1)
    return Network(populate([module] * draws), RandomStreams(range(draws)), 10), module


def batch(subjects: int = 2, count: int = 6, seed: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, subjects * CHANNELS, *FIELD)
    stimuli = torch.randn(shape, generator=generator, dtype=torch.float64)
    return stimuli, torch.randint(CLASSES, (count, subjects), generator=generator)


def same_batch(subjects: int, count: int = 6, seed: int = 3) -> tuple[Tensor, Tensor]:
    """Batch with the same images and labels for every subject."""
    stimuli, labels = batch(1, count, seed)
    return stimuli.repeat(1, subjects, 1, 1), labels.repeat(1, subjects)


def part_of_subject(stimuli: Tensor, labels: Tensor, subject: int) -> tuple[Tensor, Tensor]:
    """Images and labels of one subject in a batch."""
    return stimuli[:, CHANNELS * subject : CHANNELS * (subject + 1)], labels[:, subject]


def rule_of(name: str, *settings: dict[str, Any]) -> Rule:
    """Rule of a cohort, with settings for each subject."""
    return stack_settings([RULES[name](**each) for each in settings], torch.float64)


def gradient(module: nn.Module, stimuli: Tensor, labels: Tensor) -> list[Tensor]:
    loss = nn.functional.cross_entropy(module(stimuli), labels)
    return list(torch.autograd.grad(loss, list(module.parameters())))


def inputs(module: nn.Module, stimuli: Tensor) -> dict[str, Tensor]:
    """Input of each layer with weights of a plain module, by name."""
    found: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(lambda _, x, name=name: found.update({name: x[0].detach()}))
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    with torch.no_grad():
        module(stimuli)
    for hook in hooks:
        hook.remove()
    return found


def assert_steps(steps: Sequence[Tensor], subject: int, expected: Sequence[Tensor]) -> None:
    for step, wanted in zip(steps, expected, strict=True):
        torch.testing.assert_close(step[subject], wanted, rtol=1e-9, atol=1e-12)


def exponent(draws: Tensor, target: Tensor, sizes: Sequence[int]) -> float:
    """Exponent with which the error of a mean falls with the number of draws."""
    errors = []
    for size in sizes:
        count = len(draws) // size
        means = draws[: count * size].view(count, size, *target.shape).mean(1)
        errors.append((means - target).square().mean().sqrt().log())
    x = torch.tensor(sizes, dtype=torch.float64).log()
    x = x - x.mean()
    return float((x * torch.stack(errors)).sum() / x.square().sum())


TASK = TASKS["digits"](train_images=100, validation_images=50, probe_images=20)
ARCHITECTURE = {
    "mlp": ARCHITECTURES["mlp"](hidden=(8, 6)),
    "knet4": ARCHITECTURES["knet4"](channels=(2, 3, 3)),
}


def subject(
    rule: str, net: str = "mlp", number: int = 0, optimizer: str = "sgd", **options: Any
) -> Subject:
    settings = {"learning_rate": 0.02} | options.pop("optimizer_settings", {})
    return Subject(
        architecture=ARCHITECTURE[net],
        task=TASK,
        rule=RULES[rule](**options.pop("rule_settings", {})),
        optimizer=OPTIMIZERS[optimizer](**settings),
        label=rule,
        batch_size=10,
        steps=options.pop("steps", 20),
        replicate=number,
        seed=7,
        **options,
    )


def trainer_of(*subjects: Subject, dtype: torch.dtype = torch.float64) -> CohortTrainer:
    return CohortTrainer(Cohort(tuple(subjects)), dtype, "cpu")


def train_steps(trainer: CohortTrainer, steps: int) -> None:
    for step, batch_ in zip(range(steps), trainer.batches(), strict=False):
        trainer.training_step(*batch_, step)


def backward_weights(trainer: CohortTrainer) -> list[Tensor]:
    layers = trainer.network.layers.values()
    return [each.backward_weight.clone() for each in layers if each.backward_weight is not None]


def forward_weights(trainer: CohortTrainer) -> list[Tensor]:
    return [p.detach().clone() for p in trainer.network.parameters]
