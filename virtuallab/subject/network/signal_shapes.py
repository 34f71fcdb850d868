"""Shapes of the signals that enter and leave the modules of a network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial

import torch
from torch import Tensor, nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.task import Task

Shape = tuple[int, ...]
Note = Callable[[str, bool, list[Tensor]], None]  # arguments: path, entering the module, signals


@cache
def signal_shapes(architecture: Architecture, task: Task) -> dict[str, tuple[Shape, Shape]]:
    """Shapes of the first input and the output of each module for one stimulus, by its path."""
    return shapes_of(
        copy.deepcopy(template_network(architecture, task)), task.stimuli().stimuli[:1]
    )


def shapes_of(network: nn.Module, stimuli: Tensor) -> dict[str, tuple[Shape, Shape]]:
    """Shapes of the first input and the output of each module, in evaluation mode."""
    inputs: dict[str, Shape] = {}
    found: dict[str, tuple[Shape, Shape]] = {}

    def note(path: str, entering: bool, signals: list[Tensor]) -> None:
        if signals and entering:
            inputs.setdefault(path, tuple(signals[0].shape))
        elif signals:  # a module without a real-valued input, as an embedding, has no such layer
            shape = tuple(signals[0].shape)
            found.setdefault(path, (inputs.get(path, shape), shape))

    names = {name for name, _ in network.named_modules()}
    with torch.no_grad(), watched(network.eval(), names, note):
        network(stimuli)
    return found


def subject_axis(shape: Sequence[int], one: Sequence[int], subjects: int) -> int | None:
    """Axis in which a signal has the units of all subjects, given the shape of one's signal.

    The number of samples may differ. None if there is no such axis.
    """
    if len(shape) != len(one):
        return None
    for axis in range(1, len(one)):
        expected = [*one[1:axis], subjects * one[axis], *one[axis + 1 :]]
        if list(shape[1:]) == expected:
            return axis
    return None


@contextmanager
def watched(network: nn.Module, names: set[str], note: Note) -> Iterator[None]:
    """Call ``note`` with the signals that enter and leave the modules of these names."""

    def enter(path: str, _: nn.Module, signals: tuple[object, ...]) -> None:
        note(path, True, list(_tensors(signals)))

    def leave(path: str, _: nn.Module, __: object, output: object) -> None:
        note(path, False, list(_tensors(output)))

    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if name in names:
                before = module.register_forward_pre_hook(partial(enter, name))
                hooks.enter_context(before)
                hooks.enter_context(module.register_forward_hook(partial(leave, name)))
        yield


def _tensors(value: object) -> Iterator[Tensor]:
    """Yield the real-valued tensors of a module's input or output."""
    if isinstance(value, Tensor) and value.is_floating_point():
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)
