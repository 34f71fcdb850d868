"""Conformance check of architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn, TypeVar

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, synaptic_layers
from virtuallab.subject.network.dry_run import dry_run
from virtuallab.subject.network.initialization import initialized_network, template_network
from virtuallab.subject.network.parameter_layout import floating_tensors, parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.preparation import prepare
from virtuallab.subject.task import Task
from virtuallab.testing.plugin import plugin_instance

Result = TypeVar("Result")

_SEEDS = (3, 4)  # one for each subject
_BATCH = 5  # unlike the number of subjects, so that no axis can be confused with another
_MOST_WEIGHTS = 200_000_000
_TOLERANCE = 1e-9


def check_architecture(
    architecture: str | type[Architecture] | Architecture,
    task: Task | None = None,
    *,
    one_by_one: bool = False,
) -> None:
    """Check that networks of an architecture can be built, trained together and recorded.

    A network takes the task's images and gives one score for each class. Its initial weights depend
    on the seed alone. Layers are defined in the order in which they are used, all of them are used,
    and the last one gives the scores. Sites name existing modules from input to output, and
    responses can be recorded there. In a population, each subject has the scores, gradients and
    running averages of its network alone (to 1e-9, in float64).

    Parameters
    ----------
    architecture : str, type or Architecture
        A registered name, a class (both with default settings), or an instance.
    task : Task, optional
        Its images are shown to the networks; 8 x 8 digits if not given.
    one_by_one : bool
        Whether networks are trained and recorded one by one, in populations of one.

    Raises
    ------
    AssertionError
        With what the architecture breaks.
    """
    made: Architecture = plugin_instance(architecture, ARCHITECTURES, Architecture)
    shown = task or TASKS["digits"](train_images=20, validation_images=10, probe_images=10)
    check = _ArchitectureCheck(made, shown, _SEEDS[:1] if one_by_one else _SEEDS)
    with torch.random.fork_rng(devices=[]):  # dropout outside of a population draws from it
        check.build()
        check.layers()
        check.sites()
        check.population()
        check.recording()


class _ArchitectureCheck:
    """One architecture with one task."""

    def __init__(self, architecture: Architecture, task: Task, seeds: tuple[int, ...]) -> None:
        self.architecture, self.task, self.seeds = architecture, task, seeds

    def network(self, seed: int) -> nn.Module:
        """Network in double precision."""
        return initialized_network(self.architecture, self.task, seed).double()

    def build(self) -> None:
        """Check shapes and initial weights."""
        self.accepted(lambda: dry_run(self.architecture, self.task, _MOST_WEIGHTS), "is refused")
        first, again, other = (_state(self.network(seed)) for seed in (3, 3, 4))
        if not torch.equal(first, again):
            self.broken(
                "has other initial weights when it is built again from the same seed. Draw them "
                "from torch's global random stream, as torch's layers do"
            )
        if torch.equal(first, other):
            self.broken("has the same initial weights for every seed")
        if not self.network(3).training:
            self.broken("is built in evaluation mode; do not call eval()")

    def layers(self) -> None:
        """Check that layers are used in their order, and that the last one gives the scores."""
        network = self.network(3)
        responses = self.responses(network)
        if unused := [name for name in synaptic_layers(network) if name not in dict(responses)]:
            self.broken(f"defines {_names(unused)}, which it does not use")
        self.accepted(lambda: template_network(self.architecture, self.task), "is refused")
        last, response = responses[-1]
        with torch.no_grad():
            scores = network.eval()(self.stimuli(1))
        if not torch.equal(response, scores):
            self.broken(
                f"changes the output of its last layer, {last!r}. The last layer gives the scores; "
                "leave a softmax to the loss"
            )

    def accepted(self, call: Callable[[], Result], what: str) -> Result:
        """Result of a call, which the architecture breaks if it raises UserError."""
        try:
            return call()
        except UserError as error:
            self.broken(f"{what}: {error}", error)

    def responses(self, network: nn.Module) -> list[tuple[str, Tensor]]:
        """Name and output of each layer with weights, in the order of use, in evaluation mode."""
        found: list[tuple[str, Tensor]] = []
        handles = [
            layer.register_forward_hook(
                lambda _, __, output, name=name: found.append((name, output.clone()))
            )
            for name, layer in synaptic_layers(network).items()
        ]
        training = network.training
        with torch.no_grad():
            network.eval()(self.stimuli(1))
        network.train(training)
        for handle in handles:
            handle.remove()
        return found

    def sites(self) -> None:
        """Check that sites name modules, in the order in which they are used."""
        network = self.network(3)
        modules, layers = dict(network.named_modules()), synaptic_layers(network)
        sites = self.architecture.sites(network)
        if not sites:
            self.broken("has no sites, so nothing of it can be recorded")
        for name, site in sites.items():
            if site.synapse not in layers:
                self.broken(
                    f"records layer {name!r} at the weight of {site.synapse!r}, which is no "
                    f"convolution and no dense layer. Known: {_names(layers)}"
                )
            if site.response not in modules:
                self.broken(f"records layer {name!r} after {site.response!r}, which does not exist")
        used = [name for name, _ in self.responses(network)]
        given = [site.synapse for site in sites.values()]
        if given != sorted(given, key=used.index):
            self.broken(f"has sites in the order {_names(given)}; use that from input to output")

    def stimuli(self, subjects: int) -> Tensor:
        """Random images, ``(batch, subject*channel, height, width)``."""
        channels, *size = self.task.stimulus_shape
        shape = (_BATCH, subjects * channels, *size)
        stream = torch.Generator().manual_seed(1)
        return torch.randn(shape, generator=stream, dtype=torch.float64)

    def population(self) -> None:
        """Check that each subject of a population has the numbers of its network alone."""
        networks = [self.network(seed) for seed in self.seeds]
        together = self.accepted(
            lambda: populate(networks, self.seeds), "cannot become a population"
        )
        self.accepted(
            lambda: parameter_layout(self.architecture, self.task), "cannot become a population"
        )
        stimuli = self.stimuli(len(networks))
        before = torch.get_rng_state()
        found = self.passed(together, stimuli, len(networks))
        if not torch.equal(torch.get_rng_state(), before):
            self.broken(
                "draws from torch's global random stream when it is shown images. Use nn.Dropout, "
                "which has a stream for each subject in a population"
            )
        own = stimuli.chunk(len(networks), 1)
        drops = any(isinstance(module, nn.Dropout) for module in networks[0].modules())
        for place, (seed, network) in enumerate(zip(self.seeds, networks, strict=True)):
            # Dropout has a stream for each subject only in a population, here of one.
            alone = populate([network], [seed]) if drops else network
            expected = self.passed(alone, own[place], 1)
            for what, values in expected.items():
                one = values[0] if drops or what.startswith("scores") else values
                if not _equal(found[what][place], one):
                    self.broken(
                        f"has other {what} in a population than alone. A module of your own must "
                        "treat each channel alone, or consist of layers that a population knows"
                    )

    def passed(self, network: nn.Module, stimuli: Tensor, subjects: int) -> dict[str, Tensor]:
        """Scores, gradients and running averages after one pass, each with its subject axis."""
        network.train()
        scores = network(stimuli).view(_BATCH, subjects, -1).transpose(0, 1)
        names = [name for name, _ in network.named_parameters()]
        objective = (scores * torch.linspace(-1, 1, scores.shape[2]).double()).square().sum()
        gradients = torch.autograd.grad(
            objective, list(network.parameters()), allow_unused=True, materialize_grads=True
        )
        averages = {
            f"running averages {name!r}": tensor.clone()
            for name, tensor in floating_tensors(network)
            if name not in names
        }
        with torch.no_grad():
            evaluated = network.eval()(stimuli).view(_BATCH, subjects, -1).transpose(0, 1)
        return {
            "scores in training": scores.detach(),
            "scores in evaluation": evaluated,
            **{f"gradients of {k!r}": v for k, v in zip(names, gradients, strict=True)},
            **averages,
        }

    def recording(self) -> None:
        """Check that responses can be recorded at the sites."""
        population = populate([self.network(seed) for seed in self.seeds])
        states = parameter_layout(self.architecture, self.task).flatten(population).numpy()
        prepared = self.accepted(
            lambda: prepare(self.architecture, self.task, states), "cannot be recorded"
        )
        for layer in prepared.layers:
            if not torch.isfinite(torch.from_numpy(prepared.responses[layer])).all():
                self.broken(f"has responses of layer {layer!r} that are not finite")

    def broken(self, what: str, cause: Exception | None = None) -> NoReturn:
        """Raise AssertionError with what the architecture breaks."""
        text = f"architecture {self.architecture.name!r} {what}"
        raise AssertionError(f"{text.rstrip('.')}.") from cause


def _equal(found: Tensor, expected: Tensor) -> bool:
    """True if two tensors are equal; entries are compared in order of size if shapes differ.

    A population keeps the axes of some weights in another order than torch.
    """
    if found.shape != expected.shape:
        found, expected = (each.flatten().sort().values for each in (found, expected))
    return torch.allclose(found, expected, rtol=_TOLERANCE, atol=_TOLERANCE)


def _state(network: nn.Module) -> Tensor:
    return torch.cat([tensor.detach().flatten() for _, tensor in floating_tensors(network)])


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
