"""Check that a network can be built and trained, by building it and showing it two images.

Networks are first built on torch's meta device, where tensors have a shape and no memory: a network
of a thousand billion weights is counted in a millisecond, and refused before anything is allocated.
A small network is then built with memory; a large one is shown the images on the meta device, for
which torch imports its compiler, and that takes longer than everything else.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.task import Task
from virtuallab.text import printable

_BATCH_NORM = "more than 1 value per channel"
_MOST_LAYERS = 500
_SECOND = 2  # images of the batch by which shapes are tried
_SMALL = (
    20_000_000  # numbers, 80 MB: of the weights, and of the responses of all layers to an image
)


@dataclass(frozen=True)
class DryRun:
    """Sizes of one network.

    Parameters
    ----------
    weights : int
        Parameters and running averages.
    activities : int
        Responses of all layers to one image.
    fewest : int
        Smallest possible batch: 2 if a layer normalises over the batch alone.
    """

    weights: int
    activities: int
    fewest: int


@cache
def dry_run(architecture: Architecture, task: Task, most: int) -> DryRun:
    """Build a network of an architecture for a task, and show it a batch.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    most : int
        Largest number of weights that one network may have. Nothing is allocated before the network
        is known to have no more.

    Returns
    -------
    DryRun

    Raises
    ------
    UserError
        If it cannot be built, has more weights, or does not take the task's images.
    """
    size = " x ".join(map(str, task.stimulus_shape[1:]))
    try:
        with torch.device("meta"), _few_layers(architecture.name):
            network = architecture.build(task.stimulus_shape, task.classes)
    except UserError:
        raise
    except Exception as error:
        if "size calculation overflowed" in str(error):
            words = f"a layer of {architecture.name} has more weights than any machine can hold."
            raise UserError(f"{words} Make it smaller.") from None
        raise UserError(
            f"{architecture.name} cannot be built for images of {size}: {_first_line(error)}"
        ) from None
    weights = sum(tensor.numel() for tensor in network.state_dict().values())
    if weights > most:
        raise UserError(
            f"one {architecture.name} has {weights:,} weights; at most {most:,} are possible. Make "
            "it smaller."
        )
    return DryRun(weights, *_passed(architecture, task, network, size))


@contextmanager
def _few_layers(name: str) -> Iterator[None]:
    """Stop an architecture that makes layers without end."""
    thread, made = threading.get_ident(), 0

    def count(_: nn.Module, parameter: str, __: nn.Parameter | None) -> None:
        nonlocal made
        made += threading.get_ident() == thread and parameter == "weight"
        if made > _MOST_LAYERS:
            raise UserError(
                f"one {name} has more than {_MOST_LAYERS:,} layers with weights. Make it smaller."
            )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _small(network: nn.Module, task: Task) -> bool:
    """Whether a network and its responses to an image certainly take little memory.

    A kernel has no more responses to each channel than the image has pixels, a dense layer one to
    each row of its weights.
    """
    pixels = math.prod(task.stimulus_shape[1:])
    tensors = [tensor for tensor in network.parameters() if tensor.ndim > 1]
    responses = sum(len(tensor) * (pixels if tensor.ndim > 2 else 1) for tensor in tensors)
    return max(responses, sum(tensor.numel() for tensor in tensors)) <= _SMALL


def _passed(
    architecture: Architecture, task: Task, network: nn.Module, size: str
) -> tuple[int, int]:
    """Number of responses to one image, and the smallest possible batch."""
    small = _small(network, task)
    if small:
        network = initialized_network(architecture, task, 0)
    try:
        try:
            responses, output = _show(network, task, _SECOND)
        except _Refused:
            if small:
                raise
            # What a module computes by way of numpy, or decides by values, needs values.
            network = initialized_network(architecture, task, 0)
            responses, output = _show(network, task, _SECOND)
    except _Refused as refused:
        raise UserError(
            f"{architecture.name} cannot be shown images of {size}: {refused}"
        ) from None
    if tuple(output.shape) != (_SECOND, task.classes):
        given = " x ".join(map(str, output.shape[1:]))
        raise UserError(
            f"{architecture.name} gives {given} numbers for an image of {size}; a task of "
            f"{task.classes} classes needs {task.classes}."
        )
    try:
        _show(network, task, 1)
    except _Refused as refused:
        if refused.normalises:
            return responses // _SECOND, 2
    return responses // _SECOND, 1


class _Refused(Exception):
    """A layer cannot process its input."""

    def __init__(self, layer: str, shape: tuple[int, ...] | None, error: Exception) -> None:
        self.normalises = _BATCH_NORM in str(error)
        place = f"layer {layer!r}" if layer else "the network"
        seen = "" if shape is None else f" receives {' x '.join(map(str, shape))} and"
        super().__init__(f"{place}{seen} fails: {_first_line(error)}")


def _show(network: nn.Module, task: Task, images: int) -> tuple[int, Tensor]:
    """Number of responses of all layers to some images, and the network's output."""
    device = next((tensor.device for tensor in network.parameters()), torch.device("cpu"))
    counted = 0
    last: tuple[str, tuple[int, ...] | None] = ("", None)

    def enter(name: str, inputs: tuple[object, ...]) -> None:
        nonlocal last
        first = inputs[0] if inputs else None
        last = (name, tuple(first.shape[1:]) if isinstance(first, Tensor) else None)

    def leave(output: object) -> None:
        nonlocal counted
        counted += output.numel() if isinstance(output, Tensor) else 0

    handles = []
    for name, module in network.named_modules():
        if not any(True for _ in module.children()):
            handles += [
                module.register_forward_pre_hook(lambda _, x, name=name: enter(name, x)),
                module.register_forward_hook(lambda _, __, output: leave(output)),
            ]
    try:
        with torch.no_grad():
            output = network.train()(torch.zeros(images, *task.stimulus_shape, device=device))
    except Exception as error:
        raise _Refused(*last, error) from None
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(output, Tensor):
        raise _Refused("", None, TypeError(f"it returns a {type(output).__name__}, not a tensor"))
    return counted, output


def _first_line(error: Exception) -> str:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return f"{printable(said[0]).rstrip('.')}."
