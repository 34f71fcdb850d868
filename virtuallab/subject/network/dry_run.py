"""Dry run of a network: it is built and shown two images, to check that it can be trained.

Networks are first built on torch's meta device, where tensors have a shape but no memory, so that a
network with too many weights is refused before memory is allocated. A small network is then built
with memory. A large one is shown the images on the meta device, for which torch imports its
compiler; that import takes longer than all other steps.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.build import build, code_path
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.task import Task
from virtuallab.subject.torch_stream import global_stream
from virtuallab.text import first_line

_BATCH_NORM = "more than 1 value per channel"
_MAX_LAYERS = 500
_BATCH_SIZE = 2
_SMALL = 20_000_000  # weights, and responses of all layers to one image; 80 MB


@dataclass(frozen=True)
class DryRun:
    """Sizes of one network."""

    weights: int  # parameters and running averages
    activities: int  # responses of all layers to one image
    # What has a layer that normalises over the batch alone: the architecture or the task's head, in
    # words; empty if there is none.
    normalised: str

    @property
    def fewest(self) -> int:
        """Smallest possible batch."""
        return 2 if self.normalised else 1


@cache
def dry_run(architecture: Architecture, task: Task, most: int) -> DryRun:
    """Build a network of an architecture for a task, and show it a batch.

    Raises
    ------
    UserError
        If the network cannot be built, has more than ``most`` weights, or cannot process the task's
        images. No memory is allocated for more than ``most`` weights.
    """
    size = " x ".join(map(str, task.stimulus_shape[1:]))
    try:
        with _limited_layers(architecture.name):
            network = _without_memory(architecture, task)
    except UserError:
        raise
    except Exception as error:
        if "size calculation overflowed" in str(error):
            raise UserError(
                f"a layer of {architecture.name} has more weights than any machine can hold. Make "
                "it smaller."
            ) from None
        raise UserError(
            f"{architecture.name} cannot be built for images of {size}: {first_line(error)}"
        ) from None
    weights = sum(tensor.numel() for tensor in network.state_dict().values())
    if weights > most:
        raise UserError(
            f"one {architecture.name} has {weights:,} weights; at most {most:,} are possible. Make "
            "it smaller."
        )
    return DryRun(weights, *_activities_and_normalised(architecture, task, network, size))


def _without_memory(architecture: Architecture, task: Task) -> nn.Module:
    """Network on the meta device, or with memory if its constructor needs values."""
    try:
        with torch.device("meta"):
            return build(architecture, task)
    except (NotImplementedError, RuntimeError) as error:
        if "meta" not in str(error):
            raise
        return initialized_network(architecture, task, 0)


@contextmanager
def _limited_layers(name: str) -> Iterator[None]:
    """Stop an architecture that defines too many layers."""
    thread, layers = threading.get_ident(), 0

    def count(_: nn.Module, parameter: str, __: nn.Parameter | None) -> None:
        nonlocal layers
        layers += threading.get_ident() == thread and parameter == "weight"
        if layers > _MAX_LAYERS:
            raise UserError(
                f"one {name} has more than {_MAX_LAYERS:,} layers with weights. Make it smaller."
            )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _is_small(network: nn.Module, task: Task) -> bool:
    """True if a network and its responses to one image are certain to take little memory.

    A kernel has at most one response for each pixel of the image, a dense layer one for each row of
    its weights.
    """
    pixels = math.prod(task.stimulus_shape[1:])
    tensors = [tensor for tensor in network.parameters() if tensor.ndim > 1]
    responses = sum(len(tensor) * (pixels if tensor.ndim > 2 else 1) for tensor in tensors)
    return max(responses, sum(tensor.numel() for tensor in tensors)) <= _SMALL


def _activities_and_normalised(
    architecture: Architecture, task: Task, network: nn.Module, size: str
) -> tuple[int, str]:
    """Number of responses to one image, and what normalises over the batch alone."""
    small = _is_small(network, task)
    if small:
        network = initialized_network(architecture, task, 0)
    try:
        try:
            responses, output = _show(network, task, _BATCH_SIZE)
        except _ForwardError:
            if small:
                raise
            # A module that uses numpy, or branches on values, needs a network with values.
            network = initialized_network(architecture, task, 0)
            responses, output = _show(network, task, _BATCH_SIZE)
    except _ForwardError as error:
        raise UserError(f"{architecture.name} cannot be shown images of {size}: {error}") from None
    if tuple(output.shape) != (_BATCH_SIZE, task.outputs):
        shape = " x ".join(map(str, output.shape[1:]))
        raise UserError(
            f"{architecture.name} gives {shape} numbers for an image of {size}; the task "
            f"needs {task.outputs}."
        )
    normalised = ""
    try:
        _show(network, task, 1)
    except _ForwardError as error:
        if _BATCH_NORM in str(error):
            in_head = task.has_head and error.layer.startswith(code_path(task, network))
            normalised = f"the head of task {task.name!r}" if in_head else architecture.name
    return responses // _BATCH_SIZE, normalised


class _ForwardError(Exception):
    """A layer cannot process its input."""

    def __init__(self, layer: str, shape: tuple[int, ...] | None, error: Exception) -> None:
        place = f"layer {layer!r}" if layer else "the network"
        received = "" if shape is None else f" receives {' x '.join(map(str, shape))} and"
        self.layer = layer
        super().__init__(f"{place}{received} fails: {first_line(error)}")


def _show(network: nn.Module, task: Task, images: int) -> tuple[int, Tensor]:
    """Number of responses of all layers to some images, and the network's output."""
    device = next((tensor.device for tensor in network.parameters()), torch.device("cpu"))
    responses = 0
    last: tuple[str, tuple[int, ...] | None] = ("", None)

    def note_input(name: str, inputs: tuple[object, ...]) -> None:
        nonlocal last
        first = inputs[0] if inputs else None
        last = (name, tuple(first.shape[1:]) if isinstance(first, Tensor) else None)

    def count(_: nn.Module, __: object, output: object) -> None:
        nonlocal responses
        responses += output.numel() if isinstance(output, Tensor) else 0

    with ExitStack() as hooks, torch.no_grad():
        for name, module in network.named_modules():
            if not any(True for _ in module.children()):
                before = module.register_forward_pre_hook(lambda _, x, n=name: note_input(n, x))
                hooks.enter_context(before)
                hooks.enter_context(module.register_forward_hook(count))
        hooks.enter_context(global_stream(0))  # from which dropout draws
        try:
            output = network.train()(torch.zeros(images, *task.stimulus_shape, device=device))
        except Exception as error:
            raise _ForwardError(*last, error) from None
    if not isinstance(output, Tensor):
        problem = TypeError(f"it returns a {type(output).__name__}, not a tensor")
        raise _ForwardError("", None, problem)
    return responses, output
