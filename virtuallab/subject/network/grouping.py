"""Check that networks of an architecture can be one population.

An architecture may route signals as it likes. Whether this mixes the subjects of a population is
measured: two networks that differ are run as a population and alone, in double precision, and all
signals, gradients and running averages are compared.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import initialized_network, template_network
from virtuallab.subject.network.layers.dropout import PopulationDropout
from virtuallab.subject.network.parameter_layout import floating_tensors
from virtuallab.subject.network.population import populate
from virtuallab.subject.network.signal_shapes import (
    Note,
    Shape,
    shapes_of,
    signal_shapes,
    subject_axis,
    watched,
)
from virtuallab.subject.task import Task
from virtuallab.subject.torch_stream import global_stream
from virtuallab.text import first_line

_BATCH = 3  # unlike the number of subjects, so that no axis can be confused with another
_SEEDS = (0, 1)
_TOLERANCE = 1e-6  # of a signal's norm; mixed signals differ by about their norm
_MOST_WEIGHTS = 5_000_000  # of a network whose gradients are compared too, in both modes

# Modules whose forward passes are known to treat each channel alone: tests compare populations of
# them with ordinary networks.
_KNOWN = ("torch.nn.", "torchvision.models.resnet", "virtuallab.subject.architectures.")


@cache
def population_problem(architecture: Architecture, task: Task) -> str | None:
    """Reason why networks of an architecture cannot be one population; None if they can.

    Raises
    ------
    UserError
        If a population of one network is not that network, so that it cannot be trained at all.
    """
    template = template_network(architecture, task)
    if _is_known(template):
        try:
            populate([template] * 2)
        except UserError:
            pass
        else:
            return None
    networks = [initialized_network(architecture, task, seed).double() for seed in _SEEDS]
    shown = task.stimuli().stimuli
    places = torch.arange(_BATCH * len(networks)) % len(shown)
    stimuli = shown[places].double().chunk(len(networks))
    problem = _problem(networks, stimuli)
    if problem is None:
        return None
    if fault := _problem(networks[:1], stimuli[:1]):
        raise UserError(f"networks of {architecture.name} cannot be trained: {fault}")
    return (
        f"networks of {architecture.name} cannot be one population: {problem} To train and record "
        "them one by one, write 'cohort: 1' under subjects."
    )


def _is_known(network: nn.Module) -> bool:
    return all(type(module).__module__.startswith(_KNOWN) for module in network.modules())


@dataclass(frozen=True)
class SignalAxes:
    """Axes of a module's signals in which a population has the units of all subjects."""

    input: int
    output: int


@cache
def subject_axes(architecture: Architecture, task: Task) -> dict[str, SignalAxes]:
    """Axes of the signals of each module, by its path.

    Only the subjects of a sequence of tokens are in another axis than the second.
    """
    one = signal_shapes(architecture, task)
    axes = {path: SignalAxes(1, 1) for path in one}
    sequences = any(len(shape) == 3 for pair in one.values() for shape in pair)
    if not sequences or population_problem(architecture, task):
        return axes
    population = populate([template_network(architecture, task)] * 2)
    two = shapes_of(population, task.stimuli().stimuli[:1].repeat(1, 2, 1, 1))
    for path in axes.keys() & two.keys():
        found = [subject_axis(*shapes, 2) for shapes in zip(two[path], one[path], strict=True)]
        axes[path] = SignalAxes(found[0] or 1, found[1] or 1)
    return axes


def _problem(networks: Sequence[nn.Module], stimuli: Sequence[Tensor]) -> str | None:
    """First difference between networks in a population and alone; None if there is none."""
    try:
        population = populate(networks, _SEEDS[: len(networks)])
    except UserError as error:
        return str(error)
    together = torch.cat(list(stimuli), 1)
    drops = any(isinstance(module, PopulationDropout) for module in population.modules())
    size = sum(parameter.numel() for parameter in networks[0].parameters())
    for training in (False, True) if size <= _MOST_WEIGHTS else (not drops,):
        alone = [copy.deepcopy(network) for network in networks]
        if training and drops:
            if len(networks) == 1:
                return None
            # Dropout has a stream for each subject only in a population, here of one.
            alone = [populate([n], [seed]) for n, seed in zip(networks, _SEEDS, strict=True)]
        names = set(dict(alone[0].named_modules())) & set(dict(population.named_modules()))
        runs = [_run(n.train(training), x, names, 1) for n, x in zip(alone, stimuli, strict=True)]
        comparison = _Comparison([run.events for run in runs], dict(networks[0].named_modules()))
        population.train(training)
        try:
            found = _run(population, together, names, len(networks), comparison.note)
        except Exception as error:
            return f"{comparison.place} fails: {first_line(error)}"
        if comparison.difference:
            return comparison.difference
        if difference := _state_difference(found, runs):
            return difference
    return None


@dataclass(frozen=True)
class _Signal:
    """Shape of a signal, and numbers by which it is recognised."""

    shape: Shape
    digest: Tensor  # a weighted sum for each sample
    norm: float

    @classmethod
    def of(cls, signal: Tensor) -> _Signal:
        flat = signal.detach().reshape(len(signal), -1) if signal.dim() else signal.view(1, 1)
        weights = torch.cos(torch.arange(flat.shape[1], dtype=flat.dtype))
        return cls(tuple(signal.shape), flat @ weights, float(flat.norm()))

    def equals(self, other: _Signal) -> bool:
        """True if two signals are equal except for rounding."""
        atol = _TOLERANCE * max(self.norm, other.norm, 1e-9)
        return self.shape == other.shape and torch.allclose(
            self.digest, other.digest, rtol=0, atol=atol, equal_nan=True
        )


@dataclass(frozen=True)
class _Event:
    """Signals that enter or leave a module."""

    path: str
    entering: bool
    signals: list[_Signal]


@dataclass(frozen=True)
class _Run:
    """Signals of a network, and norms and sums of gradients and running averages."""

    events: list[_Event]
    tensors: dict[str, Tensor]  # (measure, subject), by what they are of


class _Comparison:
    """Compares the signals of a population with those of its networks, as they appear."""

    def __init__(self, alone: Sequence[Sequence[_Event]], modules: dict[str, nn.Module]) -> None:
        self._alone, self._modules = alone, modules
        self._seen = 0
        self._last = ""
        self.difference: str | None = None

    @property
    def place(self) -> str:
        """Module that was entered or left last."""
        return self._name(self._last)

    def note(self, path: str, entering: bool, signals: list[Tensor]) -> None:
        """Compare signals of the population with those of the same event in each network."""
        self._last = path
        if self.difference is not None:
            return
        place, self._seen = self._seen, self._seen + 1
        for subject, events in enumerate(self._alone):
            expected = events[place] if place < len(events) else _Event("", False, [])
            if (expected.path, expected.entering) == (path, entering) and all(
                _Signal.of(_share(signal, one.shape, subject, len(self._alone))).equals(one)
                for signal, one in zip(signals, expected.signals, strict=True)
            ):
                continue
            self.difference = self._told(path, entering)
            return

    def _told(self, path: str, entering: bool) -> str:
        parent = path.rpartition(".")[0]
        where = self._name(parent if entering else path)
        before = f" before {self._name(path)}" if entering else ""
        if len(self._alone) == 1:
            return f"{where} has other signals{before} than as an ordinary module."
        return f"the forward pass of {where} mixes channels of different subjects{before}."

    def _name(self, path: str) -> str:
        return f"layer {path!r} ({type(self._modules[path]).__name__})" if path else "the network"


def _share(signal: Tensor, one: Shape, subject: int, subjects: int) -> Tensor:
    """Signal of one subject; the whole signal if it does not have the units of all subjects."""
    axis = subject_axis(signal.shape, one, subjects)
    return signal if axis is None else signal.chunk(subjects, axis)[subject]


def _run(
    network: nn.Module, stimuli: Tensor, names: set[str], subjects: int, note: Note | None = None
) -> _Run:
    """Show stimuli to a network or a population, in the mode in which it is."""
    events: list[_Event] = []

    def keep(path: str, entering: bool, signals: list[Tensor]) -> None:
        events.append(_Event(path, entering, [_Signal.of(signal) for signal in signals]))

    parameters = dict(network.named_parameters())
    size = sum(parameter.numel() for parameter in parameters.values()) // subjects
    learns = network.training and size <= _MOST_WEIGHTS
    with (
        torch.set_grad_enabled(learns),
        watched(network, names, note or keep),
        global_stream(0),
    ):
        before = torch.get_rng_state()
        output = network(stimuli)
        if not torch.equal(torch.get_rng_state(), before):
            raise UserError(
                "the network draws from torch's global random stream when it is shown images. Use "
                "nn.Dropout, which has a stream for each subject."
            )
    found: dict[str, Tensor] = {}
    if learns:
        scores = output.reshape(len(output), subjects, -1)
        weights = torch.cos(torch.arange(scores.shape[2], dtype=scores.dtype))
        gradients = torch.autograd.grad(
            (scores * weights).sum(),
            list(parameters.values()),
            allow_unused=True,
            materialize_grads=True,
        )
        found |= {f"gradient of {n!r}": g for n, g in zip(parameters, gradients, strict=True)}
    if network.training:
        for name, tensor in floating_tensors(network):
            if name not in parameters:
                found[f"running average {name!r}"] = tensor
    rows = {name: tensor.reshape(subjects, -1) for name, tensor in found.items()}
    # A population may keep the axes of a weight in another order, so entries are not compared.
    return _Run(events, {n: torch.stack([r.norm(dim=1), r.sum(1)]) for n, r in rows.items()})


def _state_difference(together: _Run, alone: Sequence[_Run]) -> str | None:
    """First gradient or running average that differs; None if there is none."""
    for name, found in together.tensors.items():
        expected = torch.cat([run.tensors[name] for run in alone], 1)
        atol = _TOLERANCE * max(float(expected.abs().max()), 1e-3)
        if not torch.allclose(found, expected, rtol=0, atol=atol, equal_nan=True):
            return f"the {name} differs from that of an ordinary module."
    return None
